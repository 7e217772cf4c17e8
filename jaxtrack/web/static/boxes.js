// Boxes over the picture: drawn, moved and resized by mouse, touch and keyboard.
// A box is [x, y, w, h] in pixels of the picture; null is a target without one.

export const COLORS = ["#56b4e9", "#e69f00", "#00c88c", "#f0e442", "#cc79a7"];
export const colorOf = (k) => COLORS[k % COLORS.length];

const CORNERS = ["nw", "ne", "sw", "se"];
const LEAST = 6; // Of a side that is drawn, CSS pixels: less is a click.

// Makes the layer. `size()` gives [width, height] of the picture; `changed(k, box)` is
// called when the user has changed box k (null: removed); `grabbed()` before a change;
// `canAdd()` says whether a new box may be drawn.
export function boxLayer(layer, { size, changed, grabbed, canAdd }) {
  let boxes = [];
  let drag = null;

  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

  // Keeps a box inside the picture; a side is at least 2 pixels.
  function inside([x, y, w, h]) {
    const [width, height] = size();
    w = clamp(w, 2, width);
    h = clamp(h, 2, height);
    return [clamp(x, 0, width - w), clamp(y, 0, height - h), w, h];
  }

  // The box between two points, in whole pixels.
  function between([x0, y0], [x1, y1]) {
    const [width, height] = size();
    const xs = [x0, x1].map((x) => Math.round(clamp(x, 0, width))).sort((a, b) => a - b);
    const ys = [y0, y1].map((y) => Math.round(clamp(y, 0, height))).sort((a, b) => a - b);
    return inside([xs[0], ys[0], xs[1] - xs[0], ys[1] - ys[0]]);
  }

  function place(element, [x, y, w, h]) {
    const [width, height] = size();
    element.style.left = `${(100 * x) / width}%`;
    element.style.top = `${(100 * y) / height}%`;
    element.style.width = `${(100 * w) / width}%`;
    element.style.height = `${(100 * h) / height}%`;
    element.classList.toggle("low", y < 0.06 * height);
  }

  function makeBox(k) {
    const element = document.createElement("div");
    element.className = "box";
    element.tabIndex = 0;
    element.dataset.target = k;
    element.setAttribute("role", "group");
    element.style.setProperty("--color", colorOf(k));
    const tag = document.createElement("span");
    tag.className = "tag";
    element.append(tag);
    for (const corner of CORNERS) {
      const handle = document.createElement("i");
      handle.className = corner;
      element.append(handle);
    }
    element.addEventListener("keydown", (event) => onKey(event, k));
    return element;
  }

  const elementOf = (k) => layer.querySelector(`[data-target="${k}"]`);

  // Shows boxes; `words[k]` stands at box k, `lost[k]` dashes it.
  function show(given, words, lost) {
    if (drag) return;
    boxes = given.map((box) => box && [...box]);
    for (const element of [...layer.children]) {
      if (!boxes[element.dataset.target]) element.remove();
    }
    boxes.forEach((box, k) => {
      if (!box) return;
      let element = elementOf(k);
      if (!element) layer.append((element = makeBox(k)));
      place(element, box);
      element.firstChild.textContent = words[k];
      element.classList.toggle("lost", Boolean(lost[k]));
      const numbers = box.map((v) => Math.round(v)).join(", ");
      element.setAttribute("aria-label", `Target ${k + 1}: x, y, width, height ${numbers}`);
    });
  }

  function pointOf(event) {
    const frame = layer.getBoundingClientRect();
    const [width, height] = size();
    const x = ((event.clientX - frame.left) * width) / frame.width;
    return [x, ((event.clientY - frame.top) * height) / frame.height];
  }

  function onDown(event) {
    if (event.button) return;
    const element = event.target.closest(".box");
    if (!element && !canAdd()) {
      document.activeElement?.blur();
      return;
    }
    event.preventDefault();
    grabbed();
    layer.setPointerCapture(event.pointerId);
    const start = pointOf(event);
    if (!element) {
      drag = { k: boxes.length, start, from: null, anchor: start };
      return;
    }
    const k = Number(element.dataset.target);
    element.focus({ preventScroll: true });
    const [x, y, w, h] = boxes[k];
    const corner = CORNERS.find((name) => event.target.classList.contains(name));
    const anchor = corner && [
      corner.includes("w") ? x + w : x,
      corner.includes("n") ? y + h : y,
    ];
    drag = { k, start, from: [x, y, w, h], anchor, box: null };
  }

  function onMove(event) {
    if (!drag) return;
    const point = pointOf(event);
    const { k, from, start, anchor } = drag;
    if (anchor) {
      drag.box = between(anchor, point);
    } else {
      const [dx, dy] = [point[0] - start[0], point[1] - start[1]];
      drag.box = inside([Math.round(from[0] + dx), Math.round(from[1] + dy), from[2], from[3]]);
    }
    let element = elementOf(k);
    if (!element) layer.append((element = makeBox(k)));
    element.firstChild.textContent = drag.box.slice(2).map(Math.round).join(" × ");
    place(element, drag.box);
  }

  function onUp() {
    if (!drag) return;
    const { k, from, box } = drag;
    drag = null;
    const element = elementOf(k);
    const scale = layer.clientWidth / size()[0];
    if (!from && (!box || Math.min(box[2], box[3]) * scale < LEAST)) {
      element?.remove();
      return;
    }
    if (!box) return;
    boxes[k] = box;
    changed(k, box);
    element.focus({ preventScroll: true });
  }

  function onKey(event, k) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const step = steps[event.key];
    if (step) {
      const pixels = Math.max(1, Math.round(size()[0] / 640));
      const [dx, dy] = step.map((v) => v * pixels);
      grabbed();
      const [x, y, w, h] = boxes[k];
      // Keys may come faster than the screen shows them.
      boxes[k] = inside(event.shiftKey ? [x, y, w + dx, h + dy] : [x + dx, y + dy, w, h]);
      changed(k, boxes[k]);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      grabbed();
      changed(k, null);
    } else if (event.key === "Escape") {
      event.target.blur(); // The page takes a correction back.
      return;
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  // Adds a box in the middle, for the keyboard.
  function add() {
    if (!canAdd()) return;
    grabbed();
    const [width, height] = size();
    const k = boxes.length;
    const box = between([0.4 * width, 0.4 * height], [0.6 * width, 0.6 * height]);
    const element = makeBox(k);
    place(element, box);
    layer.append(element);
    element.focus({ preventScroll: true });
    boxes[k] = box;
    changed(k, box);
  }

  layer.addEventListener("pointerdown", onDown);
  layer.addEventListener("pointermove", onMove);
  layer.addEventListener("pointerup", onUp);
  layer.addEventListener("pointercancel", onUp);
  return { show, add };
}
