// The list: every trigger at a glance. Rows are kept and only those that changed
// are drawn again, so that thousands can be live.
import { el, number, bandChip } from './dom.js';

const order = ['scale_up', 'scale_down', 'inactive', 'hold', ''];
const sorters = {
  name: (t) => `${t.namespace}/${t.scaledObject}/${t.metric}`,
  yield: (t) => t.yield ?? 2,
  replicas: (t) => t.replicas ?? -1,
  band: (t) => order.indexOf(t.band ?? ''),
  reason: (t) => (t.healthy ? '1' : '0') + (t.reason ?? ''),
};

export class List {
  constructor(root) {
    this.root = root;
    this.body = root.querySelector('tbody');
    this.rows = new Map(); // by key: { row, shows }
    this.triggers = [];
    this.sort = 'name';
    this.descending = false;
    root.querySelector('#filter').addEventListener('submit', (e) => e.preventDefault());
    root.querySelector('#search').addEventListener('input', () => this.draw());
    root.querySelector('#unhealthy').addEventListener('change', () => this.draw());
    for (const button of root.querySelectorAll('[data-sort]')) {
      button.addEventListener('click', () => this.sortBy(button.dataset.sort));
    }
  }

  sortBy(key) {
    this.descending = this.sort === key && !this.descending;
    this.sort = key;
    for (const button of this.root.querySelectorAll('[data-sort]')) {
      const th = button.closest('th');
      if (button.dataset.sort !== key) th.removeAttribute('aria-sort');
      else th.setAttribute('aria-sort', this.descending ? 'descending' : 'ascending');
    }
    this.draw();
  }

  show(triggers) {
    this.triggers = triggers;
    this.draw();
  }

  // selected returns the triggers that the filter lets through, in order.
  selected() {
    const words = this.root.querySelector('#search').value.toLowerCase().split(/\s+/).filter(Boolean);
    const sick = this.root.querySelector('#unhealthy').checked;
    const value = sorters[this.sort];
    const sign = this.descending ? -1 : 1;
    return this.triggers
      .filter((t) => !sick || !t.healthy)
      .filter((t) => {
        const text = [t.namespace, t.scaledObject, t.metric, t.source, t.band, t.reason, t.text, t.problem].join(' ').toLowerCase();
        return words.every((w) => text.includes(w));
      })
      .map((t) => [value(t), sorters.name(t), t])
      .sort((a, b) => sign * compare(a[0], b[0]) || compare(a[1], b[1]))
      .map((entry) => entry[2]);
  }

  draw() {
    const chosen = this.selected();
    const rows = chosen.map((t) => this.row(t));
    // Moving rows that stand where they belong would take the focus away.
    const current = this.body.children;
    if (rows.length !== current.length || rows.some((row, i) => row !== current[i])) {
      const focused = document.activeElement;
      this.body.replaceChildren(...rows);
      if (this.body.contains(focused)) focused.focus();
    }
    const known = new Set(this.triggers.map((t) => t.key));
    for (const key of this.rows.keys()) if (!known.has(key)) this.rows.delete(key);
    const empty = this.root.querySelector('#empty');
    empty.hidden = chosen.length > 0;
    empty.textContent = this.triggers.length
      ? 'No trigger matches.'
      : 'No trigger is known yet. KEDA asks for one as soon as a ScaledObject names this scaler.';
  }

  // row returns the row of a trigger. An update brings new objects, so that what
  // is the same object is shown already.
  row(t) {
    let entry = this.rows.get(t.key);
    if (!entry) {
      entry = { row: el('tr'), shows: null };
      this.rows.set(t.key, entry);
    }
    if (entry.shows !== t) {
      entry.shows = t;
      fill(entry.row, t);
    }
    return entry.row;
  }
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

function fill(row, t) {
  const link = row.querySelector('a') ?? el('a', { class: 'name' });
  link.href = `#/${encodeURIComponent(t.namespace)}/${encodeURIComponent(t.scaledObject)}`;
  link.textContent = t.scaledObject;
  const cells = [
    [link, el('span', { class: 'small' }, `${t.namespace} · ${t.metric}`)],
    [gauge(t), el('span', { class: 'small num' }, t.yield === undefined ? 'no yield' : number(t.yield))],
    [el('span', {}, replicas(t)), el('br'), el('span', { class: 'small' }, bounds(t))],
    [bandChip(t)],
    [
      el('span', { class: t.healthy ? '' : 'problem' }, t.healthy ? t.text : t.problem), el('br'),
      el('span', { class: 'small' }, t.next ?? ''),
    ],
  ];
  cells.forEach((content, i) => {
    const cell = row.cells[i] ?? row.insertCell();
    cell.className = i === 2 ? 'num' : '';
    // The link stays in the document, and with it the focus.
    if (i === 0 && cell.contains(link)) cell.lastChild.textContent = content[1].textContent;
    else cell.replaceChildren(...content);
  });
}

function replicas(t) {
  const is = t.replicas === undefined ? '?' : String(t.replicas);
  return t.desired !== undefined && t.desired !== t.replicas ? `${is} → ${t.desired}` : is;
}

function bounds(t) {
  const ready = t.ready === undefined ? '' : `${t.ready} ready`;
  return t.max ? `${ready}${ready ? ', ' : ''}${t.min} to ${t.max}` : ready;
}

// gauge draws the yield from 0 to 1 over its bands.
export function gauge(t) {
  const x = (v) => 180 * v;
  const [up, down, off] = [t.scaleUpThreshold, t.scaleDownThreshold, t.inactiveThreshold];
  const part = (name, a, b) => el('rect', { class: name, x: x(a), y: 6, width: Math.max(0, x(b) - x(a)), height: 10 });
  const said = t.yield === undefined ? 'no yield' : `yield ${number(t.yield)}`;
  return el('svg', { class: 'gauge', viewBox: '0 0 180 22', preserveAspectRatio: 'none', role: 'img', 'aria-label': `${said}; scale up below ${up}, scale down above ${down}` },
    part('up', 0, up), part('hold', up, down), part('down', down, off), part('off', off, 1),
    t.yield === undefined ? null : el('rect', { class: 'needle', x: Math.min(177, Math.max(0, x(t.yield) - 1.5)), y: 2, width: 3, height: 18 }));
}
