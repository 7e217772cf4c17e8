"""Programs around a tracker: live and recorded video in, boxes and pictures out."""
