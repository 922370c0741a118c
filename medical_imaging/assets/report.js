// The pictures of a report: filter, group, and look at one of them. All text is set as text, never as HTML.
'use strict';

// a link to a table that is folded up unfolds it; on paper everything is unfolded
function unfold() {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  const folded = target && target.closest('details');
  if (folded) { folded.open = true; target.scrollIntoView(); }
}
addEventListener('hashchange', unfold);
addEventListener('beforeprint', () => {
  for (const details of document.querySelectorAll('details')) details.open = true;
  for (const img of document.querySelectorAll('img[loading]')) img.loading = 'eager';
});
unfold();

const sheet = document.querySelector('.sheet');
if (sheet) gallery();

function gallery() {
  const UNKNOWN = 'not given';
  const find = selector => document.querySelector(selector);
  const form = find('#filters'), group = find('#group'), reset = find('#filters [type=reset]');
  const selects = [...form.querySelectorAll('select[data-column]')];
  const entries = [...sheet.querySelectorAll('figure')].map(figure => ({
    figure, button: figure.querySelector('button'), about: new Map(Object.entries(JSON.parse(figure.dataset.about))),
    findings: JSON.parse(figure.dataset.findings ?? '[]'),
  }));
  let seen = entries;

  const value = (entry, column) => entry.about.get(column) ?? UNKNOWN;
  const values = (entry, column) => column === 'finding' ? entry.findings : [value(entry, column)];
  const byNumber = new Intl.Collator(undefined, {numeric: true});

  // entries that all filters let through, or all but one of them
  function matching(except) {
    const wanted = selects.filter(select => select !== except && select.value !== '');
    return entries.filter(entry => wanted.every(select => values(entry, select.dataset.column).includes(select.value)));
  }

  // how many pictures each choice would show, given the other filters
  function countChoices(select) {
    const counts = new Map();
    for (const entry of matching(select))
      for (const own of values(entry, select.dataset.column)) counts.set(own, (counts.get(own) ?? 0) + 1);
    for (const option of select.options) {
      if (option.value === '') continue;
      const n = counts.get(option.value) ?? 0;
      option.textContent = `${option.value} (${n})`;
      option.disabled = n === 0 && !option.selected;
    }
    select.classList.toggle('used', select.value !== '');
  }

  function inGroups(column) {
    const groups = new Map();
    for (const entry of seen) {
      const own = value(entry, column);
      if (!groups.has(own)) groups.set(own, []);
      groups.get(own).push(entry);
    }
    return [...groups].sort(([a], [b]) => byNumber.compare(a, b));
  }

  function heading(name, n) {
    const h3 = document.createElement('h3');
    h3.textContent = `${name} (${n})`;
    return h3;
  }

  function update() {
    seen = matching(null);
    selects.forEach(countChoices);
    const groups = group && group.value !== '' ? inGroups(group.value) : [['', seen]];
    seen = groups.flatMap(([, own]) => own);             // the arrow keys follow what is on the page
    const parts = groups.flatMap(([name, own]) =>
      [...(name === '' ? [] : [heading(name, own.length)]), ...own.map(entry => entry.figure)]);
    sheet.replaceChildren(...parts);
    find('#count').textContent = `${seen.length} of ${entries.length}`;
    if (reset) reset.hidden = !form.querySelector('select.used') && group.value === '';
  }

  // tiny pictures are drawn with sharp pixels
  const markTiny = img => img.classList.toggle('tiny', Math.max(img.naturalWidth, img.naturalHeight) < 64);
  sheet.addEventListener('load', event => markTiny(event.target), true);
  for (const img of sheet.querySelectorAll('img')) if (img.complete) markTiny(img);
  // what is said of the choices of a filter holds for the captions, too
  const shown = form.querySelector('[data-column=shown]'), hint = shown && shown.parentElement.title;
  if (hint) for (const small of sheet.querySelectorAll('small')) small.title = hint;

  form.addEventListener('change', update);
  form.addEventListener('reset', () => setTimeout(update));          // after the browser has reset the choices
  form.addEventListener('submit', event => event.preventDefault());
  form.hidden = false;
  update();

  // the large view
  const large = find('#large'), picture = find('#large-picture');
  let at = 0, opener = null;

  function lines(pairs) {
    return pairs.flatMap(pair => pair.map((text, i) => {
      const line = document.createElement(i ? 'dd' : 'dt');
      line.textContent = text;
      return line;
    }));
  }

  // what was shown from black to white, as a band over the histogram
  function markWindows(view, unit) {
    const [low, high] = view.ends ?? [0, 0], windows = high > low ? view.windows ?? [] : [];
    const place = x => 100 * Math.min(1, Math.max(0, (x - low) / (high - low)));
    const bands = windows.map(([name, from, to]) => {
      const band = document.createElement('i');
      band.style.left = `${place(from)}%`;
      band.style.width = `${place(to) - place(from)}%`;
      return band;
    });
    find('#large-histogram').append(...bands);
    const number = x => x.toLocaleString('en', {maximumSignificantDigits: 4});
    find('#large-window').textContent = windows.map(([name, from, to]) =>
      `${name}: ${number(from)} to ${number(to)} ${unit}`).join(', ');
  }

  // where in the original the picture was cut out: a box on the original or, where the page does not have it, the
  // picture in its place in the outline of the original
  function drawCrop(entry, crop) {
    const frame = find('#large-crop'), original = entry.figure.dataset.whole;
    frame.replaceChildren();
    if (!crop) return;
    const [rows, cols, top, left, bottom, right] = crop;
    const outline = document.createElement('div'), text = document.createElement('p');
    const box = original ? document.createElement('i') : new Image();
    outline.style.aspectRatio = `${cols} / ${rows}`;
    if (original) {
      const whole = new Image();
      whole.onload = () => { outline.style.aspectRatio = `${whole.naturalWidth} / ${whole.naturalHeight}`; };
      whole.alt = 'the original';
      whole.src = original;
      outline.append(whole);
    } else {
      box.src = entry.figure.querySelector('img').src;
      box.alt = '';
    }
    const at = {top: top / rows, left: left / cols, height: (bottom - top) / rows, width: (right - left) / cols};
    for (const [name, share] of Object.entries(at)) box.style[name] = `${100 * share}%`;
    box.className = 'box';
    outline.append(box);
    text.textContent = `cut out: rows ${top} to ${bottom}, columns ${left} to ${right} of ${rows} x ${cols}`;
    frame.append(outline, text);
  }

  function describe(entry) {
    const caption = entry.figure.querySelector('figcaption');
    find('#large-title').textContent = caption.querySelector('.title').textContent;
    find('#large-caption').textContent = caption.querySelector('small').textContent;
    find('#large-histogram').replaceChildren(entry.figure.querySelector('svg').cloneNode(true));
    find('#large .ends').replaceWith(caption.querySelector('.ends').cloneNode(true));
    const findings = entry.findings.length ? [['finding', entry.findings.join(', ')]] : [];
    find('#large dl').replaceChildren(...lines([...findings, ...entry.about]));
    const view = JSON.parse(entry.figure.dataset.view), header = Object.entries(view.header ?? {});
    markWindows(view, caption.querySelector('.ends div').textContent.split(' ').slice(1).join(' '));
    drawCrop(entry, view.crop);
    find('#large-header').hidden = !header.length;
    find('#large-header dl').replaceChildren(...lines(header));
  }

  // The thumbnail first, at once; then the picture itself, where it lies beside the page. A thumbnail has square
  // pixels, the picture those of its file, so the picture is drawn in the proportions of the thumbnail.
  async function draw(entry) {
    const thumbnail = entry.figure.querySelector('img'), name = entry.figure.dataset.picture;
    const isSeen = () => large.open && seen[at] === entry;
    picture.alt = thumbnail.alt;
    picture.src = thumbnail.src;
    await picture.decode().catch(() => {});
    if (!isSeen()) return;
    markTiny(picture);
    picture.style.setProperty('--ratio', picture.naturalWidth / picture.naturalHeight || 1);
    if (name === '') return;
    const whole = new Image();
    whole.onload = () => { if (isSeen()) { picture.src = whole.src; markTiny(whole); picture.className = whole.className; } };
    whole.src = name;
  }

  function show(i) {
    if (i < 0 || i >= seen.length) return;
    at = i;
    describe(seen[at]);
    if (!large.open) large.showModal();
    draw(seen[at]);
    find('#large-place').textContent = `${at + 1} of ${seen.length}`;
    for (const button of large.querySelectorAll('[data-step]')) {
      const next = at + Number(button.dataset.step);
      button.setAttribute('aria-disabled', next < 0 || next >= seen.length);      // one that is disabled loses the keys
    }
  }

  sheet.addEventListener('click', event => {
    const button = event.target.closest('figure button');
    opener = null;
    if (button) show(seen.findIndex(entry => entry.button === button));
  });
  // the number of images of a finding filters by it
  document.addEventListener('click', event => {
    const link = event.target.closest('a[data-finding]');
    if (!link) return;
    for (const select of form.querySelectorAll('select')) select.value = '';
    form.querySelector('[data-column=finding]').value = link.dataset.finding;
    update();
  });
  // a link to a picture, in a chart or a table, opens it large; filters that hide it are reset
  document.addEventListener('click', event => {
    const link = event.target.closest('a[href^="#p"]'), name = link && link.getAttribute('href').slice(1);
    const entry = entries.find(entry => entry.figure.id === name);
    if (!entry) return;
    event.preventDefault();
    if (!seen.includes(entry)) {
      for (const select of form.querySelectorAll('select')) select.value = '';
      update();
    }
    opener = link;
    show(seen.indexOf(entry));
  });
  large.addEventListener('click', event => {
    const step = event.target.dataset.step;
    if (step) show(at + Number(step));
    if (event.target === large || event.target.id === 'close') large.close();     // the dialog itself is what lies around
  });
  large.addEventListener('keydown', event => {
    const to = {ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: seen.length - 1}[event.key];
    if (to === undefined) return;
    event.preventDefault();
    show(to);
  });
  large.addEventListener('close', () => {
    const back = opener ?? seen[at].button;                            // to the link that opened it, or the picture
    back.focus();
    back.scrollIntoView({block: 'nearest'});
  });
}
