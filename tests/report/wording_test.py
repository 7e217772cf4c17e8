"""Tests for jaxtrack.report.wording."""

import dataclasses

import numpy as np

from jaxtrack.report import rendering, wording
from jaxtrack.report.sections import Section


def with_warnings(score, *warnings, protocol="otb"):
    report = dataclasses.replace(score.reports[protocol], warnings=warnings)
    return dataclasses.replace(score, reports={**score.reports, protocol: report})


def written(name, found, **fields):
    """What the page shows of a section."""
    section = Section(name, "", **fields)
    told = {"scores": found.scores, "primary": found.primary, "section": section}
    return rendering.render(f"sections/{name}.html.j2", **told)


def changed(found, **changes):
    return dataclasses.replace(found, **changes)


def rules_of(found):
    shared, own = wording.warnings(found)
    return written("rules", found, remarks=shared, shown=own)


def test_the_lead_tells_how_much_was_scored(found):
    auc = found.scores[0].reports["otb"].auc
    assert wording.lead(found) == (
        "3 trackers, 3 sequences, 18 frames. Protocol otb: 21 "
        f"thresholds, first frame counts as correct. Best: good, AUC {auc:.3f}."
    )
    one = changed(found, scores=found.scores[1:2])
    assert wording.lead(one).startswith("1 tracker, 3 sequences,")
    assert "correct. bad, AUC" in wording.lead(one)


def test_sequences_show_less_of_more_trackers(found):
    score = found.scores[0]
    for count, columns in ((3, 3), (4, 2), (6, 2), (7, 1)):
        many = [dataclasses.replace(score, name=f"t{i}") for i in range(count)]
        text = written("sequences", changed(found, scores=many))
        rows = text[text.index("<tbody>") :].split("<tr>")[1:]
        assert [row.count("<td") for row in rows] == [2 + columns * count] * 3
        assert f'colspan="{columns}"' in text


def test_the_primary_protocol_comes_first(found):
    text = rules_of(found)
    assert text.index("<b>otb</b>") < text.index("<b>no_first</b>")
    text = rules_of(changed(found, primary="no_first"))
    assert text.index("<b>no_first</b>") < text.index("<b>otb</b>")
    assert "<details>" not in text


def test_many_protocols_fold(found):
    of = found.scores[0].reports["otb"]
    reports = {name: of for name in ("a", "b", "c", "otb", "<d>")}
    score = dataclasses.replace(found.scores[0], reports=reports)
    head, folded = rules_of(changed(found, scores=[score])).split("<details>")
    assert "<b>otb</b>" in head and "<b>a</b>" in folded and "&lt;d&gt;" in folded
    assert "4 other protocols" in folded


def test_unusable_truth_is_told(found):
    of = found.scores[0].reports["otb"]
    assert wording.unusable(of) == ""
    ball = dataclasses.replace(of.sequences["ball"], num_unusable=2)
    of = dataclasses.replace(of, sequences={**of.sequences, "ball": ball})
    told = "2 frames have no ground truth that it accepts, most of them in ball (2)."
    assert wording.unusable(of) == told
    score = dataclasses.replace(found.scores[0], reports={"otb": of})
    assert told in rules_of(changed(found, scores=[score]))


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
    odd = changed(found, scores=warned)
    assert wording.warnings(odd) == (
        ["truth <1>"],
        {0: ["mended"], 2: ["2 files more", "cut"]},
    )
    shared, good, other = rules_of(odd).split("<details>")
    assert "<li>truth &lt;1&gt;</li>" in shared
    assert "good" in good and "1 notes" in good and "<li>mended</li>" in good
    assert "&lt;b&gt;" in other and "<li>cut</li>" in other


def test_manifests_are_short_and_whole(found):
    digest = "0123456789abcdef" * 4
    made = {
        "identity": {"step": 7, "weights": digest, "config": {"model": "<x>"}},
        "environment": {"device": "cpu: <cpu>", "versions": {"jax": "0.10.2"}},
    }
    score = dataclasses.replace(found.scores[0], manifest=made)
    assert wording.brief(score) == (
        "step 7, weights 0123456789ab, device cpu: <cpu>, jax 0.10.2"
    )
    two = changed(found, scores=[score, found.scores[1]])
    text = written("manifests", two)
    assert "<dt>model</dt><dd>&lt;x&gt;</dd>" in text and text.count(digest) == 1
    assert text.count("how they were made is not recorded") == 1
    assert text.count("<tr>") == 2 and "This report" not in text
    text = written("manifests", two, shown={"seeds": [0, 1], "data": {"lasot": "ab"}})
    assert text.index("This report") < text.index("<dt>seeds</dt><dd>0, 1</dd>")
    assert text.index("<dt>lasot</dt>") < text.index("good")


def test_a_line_goes_by_the_overlap(found):
    one = found.scores[0].reports["no_first"].sequences["ball"]
    one = dataclasses.replace(
        one, frames=np.array([1, 2, 4]), iou=np.array([1.0, 0.25, -1.0])
    )
    # Five frames in 100 px; the best is at the top, what never succeeds at the bottom.
    assert wording.line(one, 5, 100, 40) == "25.0,0.0 50.0,30.0 100.0,40.0"
    assert wording.line(one, 1, 100, 40).startswith("100.0,0.0")
