// What the page knows of the run, and what it has drawn and not sent yet.

export const [SCORE, LOST, GIVEN] = [4, 5, 6]; // Places in a target's row, after x, y, w, h.
export const at = (id) => document.getElementById(id);

export const state = {
  about: { width: 1, height: 1, fps: null, length: null, is_live: false },
  news: { phase: "draw", generation: -1, span: [0, 0], notes: [], fault: "", at: null },
  rows: new Map(), // Frame -> targets, each [x, y, w, h, score, lost, given].
  ends: null, // The first and the last of these frames.
  edits: { frame: 0, boxes: [] }, // Drawn, and not tracked yet; null: as it was.
  shown: null, // The frame whose picture is on the page.
  isFollowing: true, // The newest frame is shown.
  isHeld: false, // A live picture stands still while boxes are drawn.
  isPlaying: false,
  isEnded: false,
};

export const isDrawing = () => state.news.phase === "draw";
export const hasEdits = () => state.edits.boxes.some(Boolean);
export const canEdit = () => !state.isEnded && state.news.phase !== "fault";
export const isEdited = (k) => state.edits.frame === state.shown && Boolean(state.edits.boxes[k]);

// The first and the last frame that can be looked at.
export function range() {
  const { ends, about, news, shown } = state;
  if (!ends) return [shown ?? 0, shown ?? 0];
  return [about.is_live ? Math.max(ends[0], news.span[0]) : ends[0], ends[1]];
}

// Takes rows of the server; `isNew` forgets the ones before.
export function takeRows(told, isNew) {
  if (isNew) [state.rows, state.ends] = [new Map(), null];
  for (const [k, targets] of told) {
    state.rows.set(k, targets);
    const [first, last] = state.ends ?? [k, k];
    state.ends = [Math.min(first, k), Math.max(last, k)];
  }
}

// The boxes on the picture that is shown.
export function boxesShown() {
  if (isDrawing()) return state.edits.boxes;
  const found = state.rows.get(state.shown) ?? [];
  return found.map((row, k) => (isEdited(k) ? state.edits.boxes[k] : row.slice(0, 4)));
}
