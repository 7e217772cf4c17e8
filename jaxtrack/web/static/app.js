// The page: receives the state of a run from the server, and sends requests.

import { boxLayer } from "./boxes.js";
import { at, canEdit, hasEdits, isDrawing, range, state, takeRows } from "./state.js";
import { makeRender, say } from "./view.js";

const boxes = boxLayer(at("boxes"), {
  size: () => [state.about.width, state.about.height],
  changed,
  grabbed,
  canAdd: () => canEdit() && isDrawing() && state.shown !== null,
});
const render = makeRender({ boxes: () => boxes, changed });

// ---- User actions.

async function ask(name, body) {
  say("");
  try {
    const answer = await fetch(name, { method: "POST", body: JSON.stringify(body ?? {}) });
    if (!answer.ok) say((await answer.json()).error);
    return answer.ok;
  } catch {
    say("The program does not respond: it has ended or is busy.");
    return false;
  }
}

// Before a box is changed: the picture must stand still.
function grabbed() {
  stopPlaying();
  if (isDrawing()) state.isHeld = true;
  if (state.news.phase === "track") ask("pause");
  state.isFollowing = false;
}

// The user changed a box; null removes it, or undoes a correction.
function changed(k, box) {
  const { rows, shown } = state;
  if (!canEdit() || !(isDrawing() || rows.has(shown))) return;
  if (isDrawing()) {
    if (box) state.edits.boxes[k] = box;
    else state.edits.boxes.splice(k, 1);
    state.isHeld = state.edits.boxes.length > 0;
    state.edits.frame = shown;
  } else {
    const before = state.edits.frame === shown ? state.edits.boxes : [];
    const after = rows.get(shown).map((_, i) => (i === k ? box : (before[i] ?? null)));
    state.edits = { frame: shown, boxes: after };
  }
  ask("draft", state.edits);
  render();
}

async function onMain() {
  const { phase } = state.news;
  if (hasEdits()) {
    if (!(await ask("track", state.edits))) return;
    state.edits = { frame: 0, boxes: [] };
    state.news.phase = "track"; // Without waiting for the server.
    follow();
  } else if (phase === "track") ask("pause");
  else if (phase === "pause" && (await ask("resume"))) follow();
  else if (phase === "done") play();
}

function onSecond() {
  if (isDrawing()) boxes.add();
  else if (hasEdits()) changeNothing();
  else follow();
}

function changeNothing() {
  state.edits = { frame: isDrawing() ? state.shown : 0, boxes: [] };
  state.isHeld = false;
  ask("draft", state.edits);
  render();
}

function onRestart() {
  if (isDrawing()) changeNothing();
  else if (confirm("Start over? The results so far are discarded.")) ask("restart");
}

function follow() {
  stopPlaying();
  state.isFollowing = true;
  render();
}

function scrub(k) {
  if (isDrawing()) return;
  stopPlaying();
  state.isFollowing = false;
  const [first, last] = range();
  show(Math.min(Math.max(k, first), last));
}

let player = null;

function play() {
  if (state.isPlaying) return stopPlaying();
  const [first, last] = range();
  if (state.shown >= last) show(first);
  state.isFollowing = false;
  state.isPlaying = true;
  player = setInterval(() => {
    if (isLoading) return;
    if (state.shown >= last) stopPlaying();
    else show(state.shown + 1);
  }, 1000 / (state.about.fps || 25));
  render();
}

function stopPlaying() {
  clearInterval(player);
  state.isPlaying = false;
  render();
}

async function download(button) {
  const name = `tracked.${button.dataset.kind}`;
  at("status").textContent = `Writing ${name} …`;
  say("");
  try {
    const answer = await fetch(name);
    if (!answer.ok) throw new Error((await answer.json()).error);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await answer.blob());
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  } catch (fault) {
    say(fault.message);
  }
  render();
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.tagName === "INPUT") return; // The slider has keys of its own.
  const isControl = ["BUTTON", "SUMMARY"].includes(event.target.tagName);
  const [first, last] = range();
  const keys = {
    Enter: () => hasEdits() && onMain(),
    " ": () => isDrawing() || hasEdits() || onMain(),
    n: boxes.add,
    N: boxes.add,
    Escape: () => isDrawing() || (hasEdits() && changeNothing()),
    ArrowLeft: () => scrub(state.shown - 1),
    ArrowRight: () => scrub(state.shown + 1),
    Home: () => scrub(first),
    End: () => scrub(last),
  };
  if (!keys[event.key] || (isControl && "Enter ".includes(event.key))) return;
  event.preventDefault();
  keys[event.key]();
}

// ---- Server events.

let isLoading = false;
let wanted = 0;

// Shows a frame once its picture is here: boxes and picture always agree.
async function show(k) {
  wanted = k;
  if (isLoading) return;
  isLoading = true;
  while (wanted !== state.shown && !state.isEnded) {
    const next = wanted;
    const image = new Image();
    image.alt = "";
    image.draggable = false;
    image.src = `frames/${next}.jpg`;
    try {
      await image.decode();
      at("picture").replaceChildren(image);
    } catch {
      if (!state.about.is_live) say(`The picture of frame ${next} could not be read.`);
    }
    state.shown = next;
    render();
  }
  isLoading = false;
}

function onNews(told, isFirst) {
  const isNew = isFirst || told.generation !== state.news.generation;
  state.news = told;
  if (isNew) {
    state.edits = told.draft;
    state.isHeld = told.draft.boxes.length > 0;
    if (!isFirst) state.isFollowing = true;
  }
  takeRows(told.rows, isNew);
  state.isEnded = told.phase === "ended";
  if (isNew || told.fault) say("");
  at("tracker").textContent = told.tracker;
  const note = (words) => Object.assign(document.createElement("li"), { textContent: words });
  at("notes").replaceChildren(...told.notes.map(note));
  if (isDrawing()) show(state.about.is_live && !state.isHeld ? told.span[1] : state.edits.frame);
  else if (state.isFollowing && told.at !== null) show(told.at);
  render();
}

function listen() {
  let isFirst = true;
  const events = new EventSource("events");
  events.onopen = () => (isFirst = true);
  events.onmessage = (event) => {
    onNews(JSON.parse(event.data), isFirst);
    isFirst = false;
    if (state.isEnded) events.close();
  };
  events.onerror = () => say("No connection to the program: it has ended or is busy.");
}

async function begin() {
  state.about = await (await fetch("about")).json();
  const { video, width, height } = state.about;
  const name = video.split("/").pop();
  document.title = `${name} – jaxtrack`;
  at("video").textContent = name;
  at("video").title = video;
  // As large as the window allows.
  at("stage").style.aspectRatio = `${width} / ${height}`;
  at("stage").style.maxWidth = `calc(max(20rem, 100vh - 16rem) * ${width / height})`;
  at("keys").open = window.innerWidth > 800;
  at("main").addEventListener("click", onMain);
  at("second").addEventListener("click", onSecond);
  at("restart").addEventListener("click", onRestart);
  at("previous").addEventListener("click", () => scrub(state.shown - 1));
  at("next").addEventListener("click", () => scrub(state.shown + 1));
  at("frame").addEventListener("input", (event) => scrub(Number(event.target.value)));
  for (const button of document.querySelectorAll("#downloads button")) {
    button.addEventListener("click", () => download(button));
  }
  document.addEventListener("keydown", onKey);
  window.addEventListener("resize", render);
  listen();
}

begin();
