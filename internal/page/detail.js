// One ScaledObject in depth: why it is as it is, and what comes next.
import { el, number, time, seconds, span, bandName, bandChip } from './dom.js';
import { chart } from './chart.js';

export class Detail {
  constructor(root) {
    this.root = root;
    this.where = null;
    this.asking = null;
  }

  open(where) {
    this.where = where;
    this.root.replaceChildren(el('p', {}, 'Loading…'));
    this.load();
  }

  close() {
    this.where = null;
    this.asking?.abort();
  }

  // refresh asks again when one of the triggers shown was evaluated.
  refresh(changed) {
    const mine = (t) => t.namespace === this.where.namespace && t.scaledObject === this.where.name;
    if (changed.some(mine)) this.load();
  }

  async load() {
    this.asking?.abort();
    const { signal } = this.asking = new AbortController();
    const { namespace, name } = this.where;
    try {
      const response = await fetch(`api/v1/triggers/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`, { signal });
      if (response.status === 404) {
        this.draw([el('p', {}, `KEDA has not asked for ${namespace}/${name}, or not for a while.`)]);
        return;
      }
      if (!response.ok) throw new Error(`the scaler answered ${response.status}`);
      const answer = await response.json();
      this.draw((answer.triggers ?? []).map(explain));
    } catch (error) {
      if (error.name !== 'AbortError') this.draw([el('p', { class: 'problem' }, error.message)]);
    }
  }

  draw(parts) {
    const open = [...this.root.querySelectorAll('details[open]')].map((d) => d.dataset.id);
    const focus = document.activeElement?.dataset?.id;
    this.root.replaceChildren(
      el('a', { class: 'back', href: '#/', 'data-id': 'back' }, '← all triggers'),
      el('h2', {}, `${this.where.namespace}/${this.where.name}`), ...parts);
    for (const d of this.root.querySelectorAll('details')) d.open = open.includes(d.dataset.id);
    if (focus) this.root.querySelector(`[data-id="${CSS.escape(focus)}"]`)?.focus();
  }
}

function explain(x) {
  const t = x.trigger;
  return el('article', {},
    el('p', { class: 'said' }, bandChip(t), ' ', t.text ?? ''),
    t.healthy ? null : el('p', { class: 'problem' }, t.problem),
    el('p', {}, el('strong', {}, 'Next: '), t.next ?? 'unknown'),
    cards(t),
    el('div', { class: 'scroll' }, chart(x)),
    el('p', { class: 'legend' }, 'Above: the yield in its bands, with a gap where there is no sample. Below: workers (line), decided size (dashed). Vertical lines: what KEDA was told changed.'),
    el('div', { class: 'columns' },
      section('Numbers', table(['', '', ''], (x.facts ?? []).map((f) => [f.name, number(f.value), f.text]))),
      section('Timers', ...(x.timers ?? []).map(timer)),
      section('What KEDA is told', emitted(t)),
      section('Policy', metadata(x))),
    section('Queries', ...(x.queries ?? []).map(query)),
    fold(`${t.key}-changes`, `Last changes (${(x.changes ?? []).length})`, decisions(x.changes)),
    fold(`${t.key}-recent`, `Last decisions (${(x.recent ?? []).length})`, decisions(x.recent)));
}

function cards(t) {
  const card = (label, value) => el('li', {}, el('span', { class: 'small' }, label), el('b', {}, value));
  return el('ul', { class: 'cards' },
    card('yield', t.yield === undefined ? '–' : number(t.yield)),
    card('replicas', t.replicas ?? '?'),
    card('ready', t.ready ?? '?'),
    card('decided', t.desired ?? '?'),
    card('the HPA computes', t.emitted?.hpaBounded ?? t.emitted?.hpaReplicas ?? '–'));
}

function section(title, ...content) {
  const shown = content.filter(Boolean);
  return el('section', {}, el('h3', {}, title), ...(shown.length ? shown : [el('p', { class: 'small' }, 'none')]));
}

function table(heads, rows) {
  const head = heads.some(Boolean) ? el('thead', {}, el('tr', {}, ...heads.map((h) => el('th', { scope: 'col' }, h)))) : null;
  return el('div', { class: 'scroll' }, el('table', {}, head,
    el('tbody', {}, ...rows.map((cells) => el('tr', {}, ...cells.map((c) => el('td', {}, c ?? '')))))));
}

function timer(t) {
  const [length, left] = [seconds(t.length), seconds(t.left)];
  return el('div', {},
    el('div', {}, el('code', {}, t.name), ` ${span(left)} of ${span(length)} left, `, el('span', { class: 'small' }, t.text)),
    el('progress', { max: length || 1, value: Math.max(0, length - left), 'aria-label': t.name }));
}

function emitted(t) {
  const e = t.emitted ?? {};
  const active = e.active === undefined ? 'an error' : String(e.active);
  return table(['', ''], [
    ['IsActive', active],
    ['metric value', e.value === undefined ? 'an error' : number(e.value)],
    ['target', number(e.target)],
    ['metricType', e.metricType],
    ['the HPA computes', e.hpaReplicas ?? '–'],
    ['within its bounds', e.hpaBounded ?? '–'],
  ]);
}

function metadata(x) {
  const rows = Object.entries(x.metadata ?? {}).sort().filter(([key]) => !key.endsWith('Query'));
  return table(['', ''], [...rows, ['interval', span(seconds(x.interval))], ['lookback', span(seconds(x.lookback))]]);
}

function query(q) {
  const newest = q.newest?.value !== undefined ? number(q.newest.value) : q.newest?.state ?? 'not answered';
  return el('div', {},
    el('div', {}, el('strong', {}, q.role), `: ${newest}`),
    el('pre', { tabindex: 0 }, q.text),
    q.sent && q.sent !== q.text ? fold(`sent-${q.role}`, 'really sent, for many triggers at once', el('pre', { tabindex: 0 }, q.sent)) : null,
    q.error ? el('p', { class: 'problem' }, q.error) : null);
}

function fold(id, title, content) {
  return el('details', { 'data-id': id }, el('summary', { 'data-id': `${id}-summary` }, title), content);
}

function decisions(list) {
  return table(['at', 'yield', 'replicas', 'decided', 'band', 'reason', 'value'],
    (list ?? []).map((d) => [time(d.at), number(d.yield), d.replicas, d.desired, bandName(d.band), d.reason, number(d.value)]));
}
