/* The window explorer of medical_imaging.view.explore, in the browser. Each output brings this function along
   and calls it with its settings: values, windows and the Bokeh figures. */
/* exported startExplorers */
async function startExplorers(settings) {
  'use strict';

  // BokehJS is loaded once a page, however many explorers ask for it
  const loading = window.explorersBokeh ??= {};

  function loadScript(url) {
    return new Promise((resolve, reject) => {
      const onerror = () => reject(Error(`${url} cannot be reached`));
      document.head.append(Object.assign(document.createElement('script'), {src: url, onload: resolve, onerror}));
    });
  }

  function pause(milliseconds) {
    return new Promise(resolve => setTimeout(resolve, milliseconds));
  }

  function withUnit(value) {
    return `${String(+value.toFixed(settings.digits)).replace('-', '\u2212')} ${settings.unit}`;
  }

  function toStep(value) {
    return Math.round(value/settings.step)*settings.step;
  }

  // Undoes pack_values and pack_codes: inflate, join low and high bytes, sum the differences along each row
  async function unpackCodes({data, cols}) {
    const bytes = Uint8Array.from(atob(data), char => char.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
    const planes = new Uint8Array(await new Response(stream).arrayBuffer());
    const n = planes.length/2;
    const codes = new Uint16Array(n);
    let code = 0;
    for (let i = 0; i<n; i++) {
      const zigzag = planes[i] | planes[n+i]<<8;
      const difference = (zigzag>>>1) ^ -(zigzag&1);
      code = ((i%cols ? code : 0) + difference) & 65535;
      codes[i] = code;
    }
    return codes;
  }

  function valueOf(code) {
    return code===settings.missing ? NaN : settings.low+settings.step*code;
  }

  // Shows the two Bokeh figures in `picture` and `histogram`; returns the document they are in
  async function embedFigures(picture, histogram) {
    const bokeh = window.Bokeh[settings.bokeh];
    const [first, second] = settings.doc.roots.map(root => root.id);
    const roots = {[first]: picture, [second]: histogram};
    const items = [{docid: 'doc', root_ids: [first, second], roots}];
    await bokeh.embed.embed_items({doc: structuredClone(settings.doc)}, items);
    const found = bokeh.documents.find(doc => doc.roots().some(root => root.id===first && !root.explored));
    found.get_model_by_name('picture').explored = true;
    return found;
  }

  async function startExplorer(box) {
    const part = name => box.querySelector(`.mi-${name}`);
    const inputs = name => [...box.querySelectorAll(`input[name=${name}]`)];
    const values = Float32Array.from(await unpackCodes(settings), valueOf);
    const masks = settings.masks;
    const maskCodes = masks && await unpackCodes(masks);
    const doc = await embedFigures(part('picture'), part('histogram').firstElementChild);
    const [picture, histogram, source, mapper, band, ramp] =
      ['picture', 'histogram', 'values', 'mapper', 'band', 'ramp'].map(name => doc.get_model_by_name(name));
    const [colorSource, overlay] = ['colors', 'overlay'].map(name => doc.get_model_by_name(name));
    const size = settings.rows*settings.cols;
    const ImageArray = source.data.image[0].constructor;
    const buttons = [...part('presets').children];
    const frame = part('frame');
    const [levelInputs, widthInputs] = [inputs('level'), inputs('width')];
    const [widthSlider, widthField] = widthInputs;
    const widthRatio = settings.wide/settings.narrow;    // the slider of the width is logarithmic
    let {level, width, slice} = settings;
    let moving = false;    // the band is moved by setWindow, not by a hand

    // The window, everywhere but where it is being typed
    function setWindow(newLevel, newWidth, typed) {
      level = newLevel;
      width = Math.max(newWidth, settings.step/1000);
      moving = true;
      const low = level-width/2;
      const high = level+width/2;
      const put = (input, value) => { if (input!==typed) input.value = value; };
      mapper.setv({low: low-width/510, high: high+width/510});    // half a grey more: Bokeh cuts, it does not round
      band.setv({left: low, right: high});
      const {start, end} = histogram.x_range;
      ramp.data = {
        x: [Math.min(start, low), low, high, Math.max(end, high)],
        y: settings.invert ? [1, 1, 0, 0] : [0, 0, 1, 1],
      };
      for (const input of levelInputs) put(input, +level.toFixed(settings.digits+1));
      put(widthSlider, 1000*Math.log(width/settings.narrow)/Math.log(widthRatio));
      put(widthField, +width.toFixed(settings.digits+1));
      widthSlider.setAttribute('aria-valuetext', withUnit(width));
      buttons.forEach((button, i) => {
        const [presetLevel, presetWidth] = settings.presets[i];
        const distance = Math.abs(presetLevel-level)+Math.abs(presetWidth-width);
        button.setAttribute('aria-pressed', distance<1e-6*width);
      });
      moving = false;
    }

    function showSlice(i) {
      const pixels = values.subarray(i*size, (i+1)*size);
      source.data = {image: [new ImageArray(pixels, [settings.rows, settings.cols])]};
      slice = i;
      for (const input of inputs('slice')) {
        input.value = i;
        part('slice').textContent = `${settings.slices[i]+1} of ${settings.of}`;
      }
      if (masks) showMasks();
    }

    // The mean color of the masks that are shown, for each of their combinations, as Bokeh wants it
    function combinationColors() {
      const shown = inputs('mask').map(input => input.checked);
      const colors = new Uint8ClampedArray(4*masks.combinations.length);
      masks.combinations.forEach((combination, i) => {
        const visible = combination.filter(k => shown[k]);
        const mean = [0, 1, 2].map(c => visible.reduce((sum, k) => sum+masks.colors[k][c], 0)/visible.length);
        if (visible.length) colors.set([...mean, 255], 4*i);
      });
      return new Uint32Array(colors.buffer);
    }

    function showMasks() {
      const colors = combinationColors();
      const [rows, cols] = [masks.rows, masks.cols];
      const codes = maskCodes.subarray(slice*rows*cols, (slice+1)*rows*cols);
      const ColorArray = colorSource.data.image[0].constructor;
      colorSource.data = {image: [new ColorArray(Uint32Array.from(codes, code => colors[code]), [rows, cols])]};
    }

    function setOpacity(opacity) {
      overlay.glyph.global_alpha = opacity;
    }

    // Names of the masks at a pixel of the file
    function namesAt(row, col) {
      const [fullRows, fullCols] = settings.full;
      const [smallRow, smallCol] = [Math.floor(row/fullRows*masks.rows), Math.floor(col/fullCols*masks.cols)];
      const code = maskCodes[(slice*masks.rows+smallRow)*masks.cols+smallCol];
      return masks.combinations[code].map(k => masks.names[k]);
    }

    // The value under the pointer; row and column are those of the file, also where the picture is shrunk
    function showValue(event) {
      const rect = frame.getBoundingClientRect();
      const {x_range: x, y_range: y} = picture;
      const [fullRows, fullCols] = settings.full;
      const col = Math.floor(x.start+(event.clientX-rect.left)/rect.width*(x.end-x.start));
      const row = Math.floor(y.end+(event.clientY-rect.top)/rect.height*(y.start-y.end));
      const inside = col>=0 && row>=0 && col<fullCols && row<fullRows;
      const smallRow = Math.floor(row/fullRows*settings.rows);
      const smallCol = Math.floor(col/fullCols*settings.cols);
      const value = values[slice*size+smallRow*settings.cols+smallCol];
      const text = isNaN(value) ? 'no value' : withUnit(value).trim();
      const named = masks && inside ? namesAt(row, col) : [];
      part('value').textContent = inside ? `row ${row}, column ${col}: ${[text, ...named].join(', ')}` : settings.tip;
    }

    // As on consoles: to the right is wider, up is brighter
    function dragWindow(event) {
      if (event.pointerType!=='mouse' || event.button || picture.toolbar.gestures.pan.active) return;
      const [firstLevel, firstWidth] = [level, width];
      function move({clientX, clientY}) {
        const newLevel = toStep(firstLevel+(clientY-event.clientY)*firstWidth/300);
        const newWidth = toStep(firstWidth*Math.exp((clientX-event.clientX)/200));
        setWindow(newLevel, Math.max(newWidth, settings.narrow));
      }
      addEventListener('pointermove', move);
      addEventListener('pointerup', () => removeEventListener('pointermove', move), {once: true});
    }

    function windowFromBand() {
      const [left, right] = [toStep(band.left), toStep(band.right)];
      if (!moving) setWindow((left+right)/2, right-left);
    }

    for (const input of inputs('slice')) input.oninput = () => showSlice(+input.value);
    for (const input of inputs('mask')) input.oninput = showMasks;
    for (const input of inputs('opacity')) input.oninput = () => setOpacity(+input.value);
    for (const input of levelInputs) input.oninput = () => { if (input.value) setWindow(+input.value, width, input); };
    widthSlider.oninput = () => {
      setWindow(level, toStep(settings.narrow*widthRatio**(widthSlider.value/1000)), widthSlider);
    };
    widthField.oninput = () => { if (+widthField.value>0) setWindow(level, +widthField.value, widthField); };
    buttons.forEach((button, i) => { button.onclick = () => setWindow(...settings.presets[i]); });
    for (const edge of ['left', 'right']) band.properties[edge].change.connect(windowFromBand);
    frame.onpointermove = frame.onpointerdown = showValue;
    frame.addEventListener('pointerdown', dragWindow);

    showSlice(slice);
    setWindow(level, width);
    if (masks) setOpacity(masks.opacity);
    part('still').remove();
    part('value').textContent = settings.tip;
    for (const input of box.querySelectorAll('[disabled]')) {
      input.disabled = false;
      input.dataset.lmSuppressShortcuts = 'true';    // else JupyterLab takes the arrow keys
    }
  }

  if (document.readyState==='loading') await new Promise(resolve => addEventListener('DOMContentLoaded', resolve));
  const waiting = () => [...document.querySelectorAll(`[data-explore="${settings.id}"]:not([data-live])`)];
  for (let i = 0; i<100 && !waiting().length; i++) await pause(50);
  for (const box of waiting()) {
    try {
      box.dataset.live = 'true';
      if (!window.Bokeh?.[settings.bokeh]) await (loading[settings.bokeh] ??= loadScript(settings.url));
      await startExplorer(box);
    } catch (error) {
      box.querySelector('.mi-value').textContent = `A still picture: ${error.message}`;
    }
  }
}
