// What the page knows of the run, and what it has drawn and not sent yet.

export const [SCORE, LOST, GIVEN] = [4, 5, 6]; // Places in a target's row, after x, y, w, h.
export const at = (id) => document.getElementById(id);

export const state = {
  about: { width: 1, height: 1, fps: null, length: null, is_live: false },
  news: { phase: "draw", generation: -1, span: [0, 0], notes: [], fault: "", at: null },
  rows: new Map(), // Frame -> targets, each [x, y, w, h, score, lost, given].
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
  const { rows, about, news, shown } = state;
  if (!rows.size) return [shown ?? 0, shown ?? 0];
  let [first, last] = [Infinity, -Infinity];
  for (const k of rows.keys()) {
    first = Math.min(first, k);
    last = Math.max(last, k);
  }
  return [about.is_live ? Math.max(first, news.span[0]) : first, last];
}

// The boxes on the picture that is shown.
export function boxesShown() {
  if (isDrawing()) return state.edits.boxes;
  const found = state.rows.get(state.shown) ?? [];
  return found.map((row, k) => (isEdited(k) ? state.edits.boxes[k] : row.slice(0, 4)));
}
