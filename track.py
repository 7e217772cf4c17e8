"""Tracks one target through a video file, a folder of images or a camera.

Run: python track.py --checkpoint=runs/lite0 --video=street.mp4 --box=120,80,40,60
--out=out.mp4
"""

from absl import flags

from jaxtrack import cli

_CHECKPOINT = flags.DEFINE_string("checkpoint", "", "Folder that train.py wrote.")
_VIDEO = flags.DEFINE_string("video", "", "A file, a folder or a camera's number.")
_BOX = flags.DEFINE_string("box", "", "The target in the first frame: x,y,w,h px.")
_OUT = flags.DEFINE_string("out", "", "Video with the box drawn, an .mp4.")
_BOXES = flags.DEFINE_string("boxes", "", "Text file, one x,y,w,h a frame.")
_SHOW = flags.DEFINE_bool("show", False, "Show it in a window (q ends).")


def main() -> None:
    """Tracks, after the flags were found sound."""
    from jaxtrack.clients import live  # Late: --help should not wait for jax.

    live.run(
        _CHECKPOINT.value,
        _VIDEO.value,
        box=_BOX.value,
        out=_OUT.value,
        boxes=_BOXES.value,
        show=_SHOW.value,
    )


if __name__ == "__main__":
    cli.run(main)
