// Small helpers to build elements. Text is always set as text, never as markup:
// names and messages come from users.
const svgNames = new Set(['svg', 'g', 'rect', 'path', 'line', 'text', 'circle', 'title']);

export function el(name, attributes = {}, ...children) {
  const node = svgNames.has(name)
    ? document.createElementNS('http://www.w3.org/2000/svg', name)
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) node.setAttribute(key, value);
  }
  node.append(...children.filter((c) => c !== null && c !== undefined));
  return node;
}

// number writes a number with at most three digits behind the point.
export function number(v) {
  return v === undefined ? '–' : String(Math.round(v * 1000) / 1000);
}

export function time(stamp) {
  return stamp ? new Date(stamp).toLocaleTimeString([], { hourCycle: 'h23' }) : '';
}

// seconds reads a duration as the API writes it: "12.5s".
export const seconds = (text) => parseFloat(text ?? '0');

// span writes seconds for people.
export function span(s) {
  const whole = Math.max(0, Math.round(s));
  const [h, m, r] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return [h && `${h}h`, m && `${m}m`, (r || whole === 0) && `${r}s`].filter(Boolean).join(' ');
}

export const bandName = (band) => (band ? band.replace('_', ' ') : 'unknown');

export function bandChip(t) {
  const chip = el('span', { class: `band ${t.band ?? ''}` }, bandName(t.band));
  return t.mode === 'shadow' ? el('span', {}, chip, el('span', { class: 'small' }, ' shadow')) : chip;
}
