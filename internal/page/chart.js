// The chart of one trigger's window: the yield in its bands above, the replicas
// below, on one axis of time.
import { el, time, number } from './dom.js';

const [width, left, right] = [900, 44, 12];
const [top, yieldHeight, gap, replicaHeight, bottom] = [12, 190, 26, 100, 26];
const height = top + yieldHeight + gap + replicaHeight + bottom;

export function chart(x) {
  const t = x.trigger;
  const yields = samples(x, 'yield');
  const workers = samples(x, 'replicas');
  const decisions = [...(x.recent ?? [])].reverse();
  const instants = [...yields, ...workers].map((s) => s.at);
  const from = Math.min(...instants);
  const to = Math.max(...instants, from + 1000, ...decisions.map((d) => Date.parse(d.at)));
  const at = (stamp) => left + (width - left - right) * (stamp - from) / (to - from);
  const y = (v) => top + yieldHeight * (1 - v);

  const svg = el('svg', { class: 'chart', viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': describe(t, yields) });
  const band = (name, a, b) => el('rect', { class: name, x: left, y: y(b), width: width - left - right, height: Math.max(0, y(a) - y(b)) });
  svg.append(
    band('up', 0, t.scaleUpThreshold), band('hold', t.scaleUpThreshold, t.scaleDownThreshold),
    band('down', t.scaleDownThreshold, t.inactiveThreshold), band('off', t.inactiveThreshold, 1));
  for (const v of [0, t.scaleUpThreshold, t.scaleDownThreshold, 1]) {
    svg.append(el('text', { x: left - 6, y: y(v) + 4, 'text-anchor': 'end' }, number(v)));
  }
  svg.append(el('path', { class: 'yield', d: line(yields, at, y) }));
  for (const s of yields.filter((v) => v.partial && v.value !== undefined)) {
    svg.append(el('circle', { class: 'partial', cx: at(s.at), cy: y(s.value), r: 2.5 }, el('title', {}, 'the answer came with warnings')));
  }
  drawReplicas(svg, workers, decisions, at, from);
  for (const change of x.changes ?? []) {
    const when = Date.parse(change.at);
    if (when < from || when > to) continue;
    svg.append(el('line', { class: 'change', x1: at(when), x2: at(when), y1: top, y2: height - bottom },
      el('title', {}, `${time(change.at)}: ${change.band.replace('_', ' ')} to ${change.desired ?? '?'}, ${change.reason}`)));
  }
  for (let i = 0; i <= 4; i++) {
    const stamp = from + (to - from) * i / 4;
    svg.append(el('text', { x: at(stamp), y: height - 8, 'text-anchor': ['start', 'middle', 'middle', 'middle', 'end'][i] }, time(stamp)));
  }
  return svg;
}

function drawReplicas(svg, workers, decisions, at, from) {
  const base = top + yieldHeight + gap + replicaHeight;
  const desired = decisions.map((d) => ({ at: Date.parse(d.at), value: d.desired })).filter((d) => d.at >= from);
  const most = Math.max(1, ...workers.map((s) => s.value ?? 0), ...desired.map((d) => d.value ?? 0));
  const y = (v) => base - replicaHeight * v / most;
  svg.append(
    el('line', { class: 'axis', x1: left, x2: width - right, y1: base, y2: base }),
    el('text', { x: left - 6, y: base + 4, 'text-anchor': 'end' }, '0'),
    el('text', { x: left - 6, y: y(most) + 4, 'text-anchor': 'end' }, number(most)),
    el('path', { class: 'workers', d: steps(workers, at, y) }),
    el('path', { class: 'desired', d: steps(desired, at, y) }));
}

function samples(x, role) {
  const series = (x.series ?? []).find((s) => s.role === role);
  return (series?.samples ?? []).map((s) => ({ at: Date.parse(s.at), value: s.value, partial: s.partial }));
}

// line joins neighbours; a missing sample is a gap.
function line(points, at, y) {
  let pen = 'M';
  return points.map((p) => {
    if (p.value === undefined) { pen = 'M'; return ''; }
    const command = `${pen}${at(p.at).toFixed(1)} ${y(p.value).toFixed(1)}`;
    pen = 'L';
    return command;
  }).join('');
}

// steps draws a count that stays until the next one is known.
function steps(points, at, y) {
  let pen = 'M';
  return points.map((p) => {
    if (p.value === undefined) { pen = 'M'; return ''; }
    const [px, py] = [at(p.at).toFixed(1), y(p.value).toFixed(1)];
    const command = pen === 'M' ? `M${px} ${py}` : `H${px}V${py}`;
    pen = 'L';
    return command;
  }).join('');
}

function describe(t, yields) {
  const known = yields.filter((s) => s.value !== undefined).map((s) => s.value);
  if (!known.length) return 'No yield in the window.';
  return `The yield over the window, from ${number(Math.min(...known))} to ${number(Math.max(...known))}; it scales up below ${t.scaleUpThreshold} and down above ${t.scaleDownThreshold}.`;
}
