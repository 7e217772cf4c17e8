"""Tests for jaxtrack.evaluation.colophon."""

import dataclasses

from jaxtrack.evaluation import colophon


def with_notes(score, *notes, protocol="otb"):
    report = dataclasses.replace(score.reports[protocol], warnings=notes)
    return dataclasses.replace(score, reports={**score.reports, protocol: report})


def test_the_primary_protocol_comes_first(scores):
    text = colophon.rules(scores)
    assert text.index("<b>otb</b>") < text.index("<b>no_first</b>")
    text = colophon.rules(scores, primary="no_first")
    assert text.index("<b>no_first</b>") < text.index("<b>otb</b>")
    assert "<details>" not in text


def test_many_protocols_fold(scores):
    of = scores[0].reports["otb"]
    reports = {name: of for name in ("a", "b", "c", "otb", "<d>")}
    text = colophon.rules([dataclasses.replace(scores[0], reports=reports)])
    head, folded = text.split("<details>")
    assert "<b>otb</b>" in head and "<b>a</b>" in folded and "&lt;d&gt;" in folded
    assert "4 other protocols" in folded


def test_unusable_truth_is_told(scores):
    of = scores[0].reports["otb"]
    ball = dataclasses.replace(of.sequences["ball"], num_unusable=2)
    of = dataclasses.replace(of, sequences={**of.sequences, "ball": ball})
    score = dataclasses.replace(scores[0], reports={**scores[0].reports, "otb": of})
    text = colophon.rules([score])
    assert "2 frames have no ground truth that it accepts; most in ball (2)." in text
    assert "no ground truth" not in colophon.rules([scores[1]])


def test_notes_of_all_trackers_stand_once(scores):
    # Notes by other rules than the primary's are not told.
    first = with_notes(scores[0], "by the by", protocol="no_first")
    noted = [
        with_notes(first, "truth <1>", "mended"),
        with_notes(scores[1], "truth <1>"),
        with_notes(scores[2], "cut", "truth <1>"),
    ]
    text = colophon.rules(noted)
    assert text.count("truth &lt;1&gt;") == 1
    assert "by the by" not in text
    shared, good, odd = text.split("<details>")
    assert "truth" in shared
    assert "good" in good and "1 notes" in good and "<li>mended</li>" in good
    assert "&lt;b&gt;" in odd and "<li>cut</li>" in odd


def test_stamps_are_short_and_whole(scores):
    digest = "0123456789abcdef" * 4
    stamp = {
        "identity": {"step": 7, "weights": digest, "config": {"model": "<x>"}},
        "environment": {"device": "cpu: <cpu>", "versions": {"jax": "0.10.2"}},
    }
    score = dataclasses.replace(scores[0], stamp=stamp)
    text = colophon.stamps([score, scores[1]])
    assert "step 7, weights 0123456789ab, device cpu: &lt;cpu&gt;, jax 0.10.2" in text
    assert "<dt>model</dt><dd>&lt;x&gt;</dd>" in text
    assert text.count(digest) == 1
    assert text.count("how they were made is not recorded") == 1
    assert text.count("<tr>") == 2


def test_the_report_has_a_stamp_too(scores):
    text = colophon.stamps(scores[:1], {"seeds": [0, 1], "data": {"lasot": "ab"}})
    assert text.index("This report") < text.index("<dt>seeds</dt><dd>0, 1</dd>")
    assert text.index("<dt>lasot</dt>") < text.index("good")
    assert "This report" not in colophon.stamps(scores[:1])
