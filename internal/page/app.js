// The page: what it knows of the triggers, and which of its two views shows.
import { List } from './list.js';
import { Detail } from './detail.js';
import { time } from './dom.js';

const patience = 5000; // milliseconds to the next try after an error
let triggers = null; // by key, once they are known
let now = new Date();
const byId = (id) => document.getElementById(id);
const list = new List(byId('list'));
const detail = new Detail(byId('detail'));

// route reads the address: #/ is the list, #/namespace/name one ScaledObject. One
// that cannot be decoded is the list, too.
function route() {
  try {
    const [namespace, name] = location.hash.replace(/^#\/?/, '').split('/').map(decodeURIComponent);
    return namespace && name ? { namespace, name } : null;
  } catch {
    return null;
  }
}

function show() {
  const where = route();
  byId('list').hidden = where !== null;
  byId('detail').hidden = where === null;
  document.title = where ? `${where.namespace}/${where.name} · zmy-scaler` : 'zmy-scaler';
  if (where) {
    detail.open(where);
  } else {
    detail.close();
    showList();
  }
}

function showList() {
  if (triggers) list.show([...triggers.values()]);
}

function summarize() {
  const all = [...triggers.values()];
  const bad = all.filter((t) => !t.healthy).length;
  const moving = all.filter((t) => t.band === 'scale_up' || t.band === 'scale_down').length;
  const word = all.length === 1 ? 'trigger' : 'triggers';
  byId('summary').textContent = `${all.length} ${word}, ${bad} unhealthy, ${moving} scaling · ${time(now)}`;
}

function connection(state, text) {
  byId('connection').dataset.state = state;
  byId('connection-text').textContent = text;
}

// follow keeps the triggers current. The browser connects again by itself when
// the stream breaks, but gives up when the answer is an error, as that of a proxy or
// of a scaler with too many streams. The first message after that has all triggers.
function follow() {
  const stream = new EventSource('api/v1/triggers?watch=true');
  let fresh = true;
  stream.onopen = () => { fresh = true; connection('live', 'live'); };
  stream.onerror = () => {
    connection('lost', 'connection lost, trying again');
    if (stream.readyState === EventSource.CLOSED) setTimeout(follow, patience);
  };
  stream.onmessage = (event) => {
    const update = JSON.parse(event.data);
    if (fresh) triggers = new Map();
    fresh = false;
    now = new Date(update.now);
    for (const t of update.triggers ?? []) triggers.set(t.key, t);
    for (const key of update.forgotten ?? []) triggers.delete(key);
    summarize();
    if (route()) detail.refresh(update.triggers ?? []);
    else showList();
  };
}

addEventListener('hashchange', () => { show(); byId('main').focus(); });
addEventListener('keydown', (event) => {
  const typing = event.target.matches?.('input, textarea');
  if (event.key === '/' && !typing && !route()) {
    event.preventDefault();
    byId('search').focus();
  }
  if (event.key === 'Escape' && route()) location.hash = '#/';
});
show();
follow();
