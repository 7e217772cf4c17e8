// Shows the state of the page; sends nothing to the server.

import { colorOf } from "./boxes.js";
import { at, boxesShown, canEdit, hasEdits, isDrawing, isEdited, range } from "./state.js";
import { GIVEN, LOST, SCORE, state } from "./state.js";
import { drawStrip } from "./timeline.js";

// Makes the function that renders the page, once per animation frame. `boxes` is the layer
// of boxes, `changed(k, null)` removes a target.
export function makeRender({ boxes, changed }) {
  let isPlanned = false;
  return () => {
    if (isPlanned) return;
    isPlanned = true;
    requestAnimationFrame(() => {
      isPlanned = false;
      renderBoxes(boxes());
      renderControls();
      renderTargets(changed);
      renderTimeline();
    });
  };
}

// Shows an error; "" shows only the error that stopped the run.
export function say(words) {
  at("error").textContent = words || state.news.fault;
  at("error").hidden = !(words || state.news.fault);
}

// Shows the results in the current frame.
const rowsShown = () => (isDrawing() ? [] : (state.rows.get(state.shown) ?? []));

function renderBoxes(boxes) {
  const given = boxesShown();
  const found = rowsShown();
  const words = given.map((_, k) =>
    !found[k] || isEdited(k) ? `${k + 1}` : `${k + 1}  ${found[k][SCORE].toFixed(2)}`,
  );
  boxes.show(given, words, found.map((row, k) => row[LOST] && !isEdited(k)));
  at("stage").classList.toggle("drawing", isDrawing());
}

function renderControls() {
  const { phase } = state.news;
  const isChanged = hasEdits();
  const names = { draw: "Track", track: "Pause", pause: "Continue", done: state.isPlaying ? "Stop" : "Play" };
  const main = at("main");
  main.textContent =
    isChanged && !isDrawing() ? `Track from frame ${state.edits.frame}` : (names[phase] ?? "Track");
  main.disabled = !canEdit() || (isDrawing() && !isChanged);
  const second = at("second");
  const away = phase === "track" && !state.isFollowing;
  second.textContent = isDrawing() ? "Add a box" : isChanged ? "Undo" : "Follow";
  second.hidden = state.isEnded || !(isDrawing() || isChanged || away);
  const restart = at("restart");
  restart.textContent = isDrawing() ? "Clear boxes" : "Start over";
  restart.hidden = !canEdit() || (isDrawing() && !isChanged);
  for (const button of document.querySelectorAll("#downloads button")) {
    button.disabled = state.isEnded || !state.rows.size;
  }
  at("status").textContent = statusWords();
}

function statusWords() {
  if (state.isEnded) return "Ended: the program was stopped. Start it again to continue.";
  const [, last] = range();
  const total = state.about.length && state.about.length > last ? ` of ${state.about.length}` : "";
  const edited = hasEdits() && `Press “Track from frame ${state.edits.frame}” to track from the corrected box.`;
  return {
    draw: hasEdits() ? "Add more boxes, or press Track." : "Drag a box around each target.",
    track: state.rows.size
      ? `Tracking: frame ${state.news.at}${total}, ${state.news.speed} frames/s`
      : "Preparing the tracker: up to a minute the first time, seconds later …",
    pause: edited || `Paused at frame ${state.news.at}${total}. Correct a box on any frame, or continue.`,
    done: edited || `Done: ${state.rows.size} frames. Play, or correct a box on any frame.`,
    fault: "Stopped by an error. You can view and download what was tracked.",
  }[state.news.phase];
}

let shownTargets = null;
function renderTargets(changed) {
  const given = boxesShown();
  const found = rowsShown();
  const told = JSON.stringify([given, found, found.map((_, k) => isEdited(k))]);
  if (told === shownTargets) return; // Keep a button while it is pressed.
  shownTargets = told;
  at("targets").replaceChildren(...given.map((box, k) => targetItem(k, found[k], changed)));
  at("hint").textContent = given.length
    ? ""
    : "Drag on the picture with mouse or finger, or press N. Several targets are tracked together.";
}

function targetItem(k, row, changed) {
  const item = document.createElement("li");
  item.style.setProperty("--color", colorOf(k));
  const part = (name, words) => {
    const element = document.createElement("span");
    element.className = name;
    element.textContent = words;
    item.append(element);
    return element;
  };
  part("swatch", "");
  part("name", `Target ${k + 1}`);
  if (row) {
    const isOwn = isEdited(k);
    const mark = isOwn ? "corrected" : row[LOST] ? "lost" : row[GIVEN] ? "by hand" : "";
    if (mark) part(`mark ${mark}`, mark);
    else part("", "");
    part("score", isOwn ? "" : row[SCORE].toFixed(2));
    const bar = part("bar", "");
    const level = document.createElement("b");
    level.style.width = `${100 * (isOwn ? 1 : row[SCORE])}%`;
    bar.append(level);
  } else if (isDrawing()) {
    const [, , width, height] = state.edits.boxes[k].map(Math.round);
    part("score", `${width} × ${height}`);
    const remove = document.createElement("button");
    remove.textContent = "✕";
    remove.setAttribute("aria-label", `Remove target ${k + 1}`);
    remove.addEventListener("click", () => changed(k, null));
    item.append(remove);
  }
  return item;
}

function renderTimeline() {
  const [first, last] = range();
  at("timeline").classList.toggle("idle", !state.rows.size);
  const slider = at("frame");
  [slider.min, slider.max, slider.value] = [first, last, state.shown ?? first];
  slider.disabled = !state.rows.size;
  const isIdle = isDrawing() || !state.rows.size;
  const isRunning = isDrawing() && state.about.is_live && !state.isHeld;
  at("number").textContent = isRunning ? "live" : `frame ${state.shown ?? 0}`;
  at("previous").disabled = isIdle || state.shown <= first;
  at("next").disabled = isIdle || state.shown >= last;
  drawStrip(at("strip"), state.rows, first, last, state.shown);
}
