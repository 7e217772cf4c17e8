// The strip above the slider: each target's score over time, where it was lost, and
// where a box was given by hand.

import { colorOf } from "./boxes.js";
import { GIVEN, LOST, SCORE } from "./state.js";

// Draws rows, a Map of frame -> targets, between two frames.
export function drawStrip(canvas, rows, first, last, shown) {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth * ratio, canvas.clientHeight * ratio];
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, width, height);
  // The slider's knob stays inside: its middle runs from 8 to width - 8.
  const edge = 8 * ratio;
  const xOf = (k) => edge + ((width - 2 * edge) * (k - first)) / Math.max(1, last - first);
  const yOf = (score) => height - 6 * ratio - score * (height - 12 * ratio);
  const stride = Math.max(1, Math.floor((last - first) / width));

  const count = rows.get(shown)?.length ?? rows.values().next().value?.length ?? 0;
  context.lineWidth = 2 * ratio;
  for (let target = 0; target < count; target++) {
    context.strokeStyle = colorOf(target);
    context.beginPath();
    let isDown = false;
    for (let k = first; k <= last; k += stride) {
      const row = rows.get(k)?.[target];
      if (!row) {
        isDown = false;
        continue;
      }
      if (isDown) context.lineTo(xOf(k), yOf(row[SCORE]));
      else context.moveTo(xOf(k), yOf(row[SCORE]));
      isDown = true;
    }
    context.stroke();
  }
  marks(context, rows, xOf, height, ratio);
  if (rows.has(shown)) {
    context.fillStyle = "#fff";
    context.fillRect(xOf(shown) - ratio / 2, 0, Math.max(1, ratio), height);
  }
}

// Lost frames at the bottom, boxes given by hand at the top.
function marks(context, rows, xOf, height, ratio) {
  const wide = Math.max(2 * ratio, xOf(1) - xOf(0));
  for (const [k, targets] of rows) {
    if (targets.some((row) => row[LOST])) {
      context.fillStyle = "#ff8a80";
      context.fillRect(xOf(k) - wide / 2, height - 4 * ratio, wide, 4 * ratio);
    }
    if (targets.some((row) => row[GIVEN])) {
      context.fillStyle = "#fff";
      context.beginPath();
      context.moveTo(xOf(k) - 5 * ratio, 0);
      context.lineTo(xOf(k) + 5 * ratio, 0);
      context.lineTo(xOf(k), 7 * ratio);
      context.fill();
    }
  }
}
