"""Tracks with an exported tracker: jax alone (and OpenCV, which reads the pictures).

python track_stablehlo.py EXPORTED PICTURES x,y,w,h
"""

import pathlib
import sys

import cv2
import jax

folder, pictures, box = sys.argv[1:]
init, step = (
    jax.jit(jax.export.deserialize(bytearray(path.read_bytes())).call)
    for path in (pathlib.Path(folder, f"{name}.stablehlo") for name in ("init", "step"))
)
state = None
for path in sorted(pathlib.Path(pictures).glob("*.jpg")):
    image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    if state is None:
        xywh = jax.numpy.array([float(number) for number in box.split(",")])
        state, score = init(image, xywh), 1.0
    else:
        state, xywh, score = step(state, image)
    print(*(f"{number:.3f}" for number in (*xywh, score)), sep=",")
