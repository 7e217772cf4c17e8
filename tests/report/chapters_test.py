"""Tests for jaxtrack.report.chapters."""

import dataclasses

from jaxtrack.report import chapters, rendering


def with_warnings(score, *warnings, protocol="otb"):
    report = dataclasses.replace(score.reports[protocol], warnings=warnings)
    return dataclasses.replace(score, reports={**score.reports, protocol: report})


def written(name, shown):
    """What the page shows of a chapter."""
    return rendering.render(f"chapters/{name}.html.j2", chapter={"shown": shown})


def rules_of(found, scores=None, **changes):
    scores = found.scores if scores is None else scores
    return chapters.rules(dataclasses.replace(found, scores=scores, **changes))


def test_the_lead_tells_how_much_was_scored(found):
    auc = found.scores[0].reports["otb"].auc
    assert chapters.lead(found) == (
        "3 trackers, 3 sequences, 18 frames, scored by the rules of otb. Best: good, "
        f"AUC {auc:.3f}."
    )
    one = dataclasses.replace(found, scores=found.scores[1:2])
    assert chapters.lead(one).startswith("1 tracker, 3 sequences,")
    assert "otb. bad, AUC" in chapters.lead(one)


def test_sequences_show_less_of_more_trackers(found):
    score = found.scores[0]
    for count, columns in ((3, 3), (4, 2), (6, 2), (7, 1)):
        many = [dataclasses.replace(score, name=f"t{i}") for i in range(count)]
        shown = chapters.by_sequence(dataclasses.replace(found, scores=many))
        assert len(shown.heads) == columns
        assert {len(cells) for _, _, cells in shown.rows} == {columns * count}
    name, num_frames, cells = shown.rows[2]
    assert (name, num_frames) == ("dog", 6)
    assert cells[0].value == cells[0].share == score.reports["otb"].sequences[name].auc


def test_the_primary_protocol_comes_first(found):
    assert [name for name, _ in rules_of(found).protocols] == ["otb", "no_first"]
    other = rules_of(found, primary="no_first")
    assert [name for name, _ in other.protocols] == ["no_first", "otb"]
    assert "<details>" not in written("rules", other)


def test_many_protocols_fold(found):
    of = found.scores[0].reports["otb"]
    reports = {name: of for name in ("a", "b", "c", "otb", "<d>")}
    score = dataclasses.replace(found.scores[0], reports=reports)
    text = written("rules", rules_of(found, [score]))
    head, folded = text.split("<details>")
    assert "<b>otb</b>" in head and "<b>a</b>" in folded and "&lt;d&gt;" in folded
    assert "4 other protocols" in folded


def test_unusable_truth_is_told(found):
    of = found.scores[0].reports["otb"]
    ball = dataclasses.replace(of.sequences["ball"], num_unusable=2)
    of = dataclasses.replace(of, sequences={**of.sequences, "ball": ball})
    score = dataclasses.replace(found.scores[0], reports={"otb": of})
    ((_, told),) = rules_of(found, [score]).protocols
    assert told.endswith(
        "2 frames have no ground truth that it accepts; most in ball (2)."
    )
    ((_, told), _) = rules_of(found, found.scores[1:]).protocols
    assert "no ground truth" not in told


def test_warnings_of_all_trackers_stand_once(found):
    scores = found.scores
    # Warnings by other rules than the primary's are not told.
    first = with_warnings(scores[0], "by the by", protocol="no_first")
    warned = [
        with_warnings(first, "truth <1>", "mended"),
        with_warnings(scores[1], "truth <1>"),
        dataclasses.replace(
            with_warnings(scores[2], "cut", "truth <1>"), notes=("2 files more",)
        ),
    ]
    shown = rules_of(found, warned)
    assert shown.warnings == ["truth <1>"]
    assert [(t.name, t.place, t.said) for t in shown.own] == [
        ("good", 0, ["mended"]),
        (scores[2].name, 2, ["2 files more", "cut"]),
    ]
    shared, good, odd = written("rules", shown).split("<details>")
    assert "<li>truth &lt;1&gt;</li>" in shared
    assert "1 notes" in good and "<li>mended</li>" in good
    assert "&lt;b&gt;" in odd and "<li>cut</li>" in odd


def test_stamps_are_short_and_whole(found):
    digest = "0123456789abcdef" * 4
    stamp = {
        "identity": {"step": 7, "weights": digest, "config": {"model": "<x>"}},
        "environment": {"device": "cpu: <cpu>", "versions": {"jax": "0.10.2"}},
    }
    score = dataclasses.replace(found.scores[0], stamp=stamp)
    scores = [score, found.scores[1]]
    shown = chapters.stamps(dataclasses.replace(found, scores=scores))
    brief, whole = shown.trackers[0].said
    assert brief == "step 7, weights 0123456789ab, device cpu: <cpu>, jax 0.10.2"
    assert whole == stamp and not shown.trackers[1].said[1]
    text = written("stamps", shown)
    assert "<dt>model</dt><dd>&lt;x&gt;</dd>" in text and text.count(digest) == 1
    assert text.count("how they were made is not recorded") == 1
    assert text.count("<tr>") == 2 and "This report" not in text


def test_the_report_has_a_stamp_too(found):
    made_by = {"seeds": [0, 1], "data": {"lasot": "ab"}}
    shown = chapters.stamps(dataclasses.replace(found, made_by=made_by))
    text = written("stamps", shown)
    assert text.index("This report") < text.index("<dt>seeds</dt><dd>0, 1</dd>")
    assert text.index("<dt>lasot</dt>") < text.index("good")


def test_worst_sequences_have_a_line_a_tracker(found):
    shown = chapters.worst(found)
    judged = found.scores[0].reports["otb"].sequences
    names = [sequence.name for sequence in shown.sequences]
    assert names == sorted(judged, key=lambda n: judged[n].auc)
    first = shown.sequences[0]
    assert first.one is judged[first.name] and shown.of == "good"
    assert len(first.timeline.lines) == 3
    # From left to right; at the top the overlap is 1.
    for x, y in first.timeline.lines[0]:
        assert 0 <= x <= first.timeline.width and 0 <= y <= first.timeline.height
    assert first.timeline.marks[0] == 0
    assert len(first.timeline.marks) == len(first.shots) > 1
