/* The explorer of medical_imaging.view.explore, in the browser. Each output brings this function along and calls it
   with its settings: packed values and masks, the planes that cut through them, and windows; or frames in color. It
   needs nothing else. */
/* exported startExplorers */
async function startExplorers(settings) {
  'use strict';

  const MOST_ZOOM = 16;
  const {full} = settings;                             // slices, rows and columns that a pointer can be in
  const strides = shape => [shape[1]*shape[2], shape[2], 1];

  function clamp(x, low, high) {
    return Math.min(Math.max(x, low), high);
  }

  function pause(milliseconds) {
    return new Promise(resolve => setTimeout(resolve, milliseconds));
  }

  function withUnit(value) {
    return `${String(+value.toFixed(settings.digits)).replace('-', '\u2212')} ${settings.unit}`.trim();
  }

  function toStep(value) {
    return Math.round(value/settings.step)*settings.step;
  }

  // Undoes pack_values and pack_codes: inflate, join low and high bytes, sum the differences along each row
  async function unpackCodes({data, shape}) {
    const bytes = Uint8Array.from(atob(data), char => char.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
    const halves = new Uint8Array(await new Response(stream).arrayBuffer());
    const n = halves.length/2;
    const codes = new Uint16Array(n);
    let code = 0;
    for (let i = 0; i<n; i++) {
      const zigzag = halves[i] | halves[n+i]<<8;
      const difference = (zigzag>>>1) ^ -(zigzag&1);
      code = ((i%shape[2] ? code : 0) + difference) & 65535;
      codes[i] = code;
    }
    return codes;
  }

  // The colors of all frames, each as the four bytes of ImageData; a frame is the data URL of a picture
  async function unpackFrames({frames, shape: [, rows, cols]}) {
    const codes = new Uint32Array(frames.length*rows*cols);
    const canvas = Object.assign(document.createElement('canvas'), {width: cols, height: rows});
    const pen = canvas.getContext('2d', {willReadFrequently: true});
    for (const [k, src] of frames.entries()) {
      const image = Object.assign(new Image(), {src});
      await image.decode();
      pen.drawImage(image, 0, 0);
      codes.set(new Uint32Array(pen.getImageData(0, 0, cols, rows).data.buffer), k*rows*cols);
    }
    return codes;
  }

  // Draws a cut through `grid`, whose every code stands for `blocks` pixels, in the colors of the codes; without a
  // table the codes are colors
  function drawCut(canvas, {codes, shape, blocks}, {axes, upward}, point, colors) {
    const [across, down, right] = axes;
    const [rows, cols] = [shape[down], shape[right]];
    const steps = strides(shape);
    const image = new ImageData(cols, rows);
    const pixels = new Uint32Array(image.data.buffer);
    const slice = steps[across]*Math.floor(point[across]/blocks[across]);
    for (let row = 0, i = 0; row<rows; row++) {
      let from = slice+steps[down]*(upward ? rows-1-row : row);
      for (let col = 0; col<cols; col++, from += steps[right]) {
        pixels[i++] = colors ? colors[codes[from]] : codes[from];
      }
    }
    Object.assign(canvas, {width: cols, height: rows});
    Object.assign(canvas.style, {      // the last block may reach beyond the picture
      width: `${100*cols*blocks[right]/full[right]}%`,
      height: `${100*rows*blocks[down]/full[down]}%`,
    });
    canvas.getContext('2d').putImageData(image, 0, 0);
  }

  function indexAt({shape, blocks}, point) {
    return strides(shape).reduce((sum, step, axis) => sum+step*Math.floor(point[axis]/blocks[axis]), 0);
  }

  // The four bytes of a color as one number, as ImageData has them
  function rgba(red, green, blue, alpha) {
    return new Uint32Array(Uint8ClampedArray.of(red, green, blue, alpha).buffer)[0];
  }

  function multiply(matrix, point) {
    return matrix.map(row => row[0]*point[0]+row[1]*point[1]+row[2]*point[2]+row[3]);
  }

  // Calls `move` with how far the pointer is from where it went down, until it goes up
  function followPointer(element, event, move) {
    const stop = new AbortController();
    const {signal} = stop;
    element.setPointerCapture(event.pointerId);
    element.addEventListener('pointermove', moved => {
      if (moved.pointerId===event.pointerId) move(moved.clientX-event.clientX, moved.clientY-event.clientY, moved);
    }, {signal});
    for (const name of ['pointerup', 'pointercancel', 'lostpointercapture']) {
      element.addEventListener(name, ended => { if (ended.pointerId===event.pointerId) stop.abort(); }, {signal});
    }
    return stop;
  }

  async function startExplorer(box) {
    const part = (name, within = box) => within.querySelector(`.mi-${name}`);
    const parts = name => [...box.querySelectorAll(`.mi-${name}`)];
    const inputs = name => [...box.querySelectorAll(`input[name=${name}]`)];
    const {masks} = settings;
    const windowed = !settings.frames;                   // colors have no window
    const values = {...settings, codes: await (windowed ? unpackCodes : unpackFrames)(settings)};
    const labels = masks && {...masks, codes: await unpackCodes(masks)};
    const greys = windowed ? new Uint32Array(65536) : null;    // the color of each code, for the present window
    const point = [...settings.point];                  // slice, row and column that are shown
    const planes = settings.planes.map((plane, i) => {
      const element = parts('plane')[i];
      const [frame, layer, sliceLabel] = ['frame', 'layer', 'slice'].map(name => part(name, element));
      const [canvas, overlay] = layer.querySelectorAll('canvas');
      const [slider, button] = ['[name=slice]', '.mi-play'].map(selector => element.querySelector(selector));
      const count = full[plane.axes[0]];
      return {...plane, count, frame, layer, canvas, overlay, slider, button, sliceLabel, scale: 1, x: 0, y: 0};
    });
    const linked = planes.length>1;
    const buttons = windowed ? [...part('presets').children] : [];
    const histogram = part('histogram');
    const [levelInputs, widthInputs] = [inputs('level'), inputs('width')];
    const [widthSlider, widthField] = widthInputs;
    const widthRatio = settings.wide/settings.narrow;    // the slider of the width is logarithmic
    let {level, width} = settings;
    let maskColors = [];
    let redrawing = false;
    let pointed = null;                                  // what the mouse or finger points at: a plane and an event
    let player = null;                                   // what is played: a plane, its direction and its timer

    // Pictures

    function redraw() {
      if (redrawing) return;
      redrawing = true;
      requestAnimationFrame(() => {
        redrawing = false;
        for (const plane of planes) {
          drawCut(plane.canvas, values, plane, point, greys);
          if (masks) drawCut(plane.overlay, labels, plane, point, maskColors);
        }
      });
    }

    // LINEAR_EXACT of each code, rounded
    function setGreys() {
      const low = level-width/2;
      for (let code = 0; code<65536; code++) {
        const share = clamp((settings.low+settings.step*code-low)/width, 0, 1);
        const grey = Math.round(255*(settings.invert ? 1-share : share));
        greys[code] = grey*0x010101 | 0xff000000;        // the same from both ends but for the alpha
      }
      greys[settings.missing] = 0xff000000;
    }

    // The mean color of the masks that are shown, for each of their combinations
    function setMaskColors() {
      const shown = inputs('mask').map(input => input.checked);
      maskColors = masks.combinations.map(combination => {
        const visible = combination.filter(k => shown[k]);
        const mean = [0, 1, 2].map(c => visible.reduce((sum, k) => sum+masks.colors[k][c], 0)/visible.length);
        return visible.length ? rgba(...mean, 255) : 0;
      });
      redraw();
    }

    function setOpacity(opacity) {
      for (const {overlay} of planes) overlay.style.opacity = opacity;
    }

    // The window, everywhere but where it is being typed
    function setWindow(newLevel, newWidth, typed) {
      level = newLevel;
      width = Math.max(newWidth, settings.step/1000);
      const [start, end] = settings.span;
      const [left, right] = [level-width/2, level+width/2].map(x => 100*(x-start)/(end-start));
      const put = (input, value) => { if (input!==typed) input.value = value; };
      Object.assign(part('band').style, {left: `${left}%`, width: `${right-left}%`});
      const [black, white] = settings.invert ? [2, 98] : [98, 2];
      part('ramp').setAttribute('points', `-9999,${black} ${left},${black} ${right},${white} 9999,${white}`);
      for (const input of levelInputs) put(input, +level.toFixed(settings.digits+1));
      put(widthSlider, 1000*Math.log(width/settings.narrow)/Math.log(widthRatio));
      put(widthField, +width.toFixed(settings.digits+1));
      widthSlider.setAttribute('aria-valuetext', withUnit(width));
      buttons.forEach((button, i) => {
        const [presetLevel, presetWidth] = settings.presets[i];
        const distance = Math.abs(presetLevel-level)+Math.abs(presetWidth-width);
        button.setAttribute('aria-pressed', distance<1e-6*width);
      });
      setGreys();
      redraw();
    }

    // Points

    function sliceText(plane) {
      const i = point[plane.axes[0]];
      return linked ? `${i+1} of ${plane.count}` : `${settings.slices[i]+1} of ${settings.of}`;
    }

    function setPoint(newPoint) {
      newPoint.forEach((x, axis) => { point[axis] = clamp(Math.round(x), 0, full[axis]-1); });
      for (const plane of planes) {
        const [across, down, right] = plane.axes;
        if (plane.slider) {
          plane.slider.value = point[across];
          plane.sliceLabel.textContent = sliceText(plane);
          plane.frame.setAttribute('aria-valuenow', point[across]+1);
          for (const element of [plane.slider, plane.frame]) element.setAttribute('aria-valuetext', sliceText(plane));
        }
        if (!linked) continue;
        const share = (point[down]+.5)/full[down];
        part('across', plane.layer).style.top = `${100*(plane.upward ? 1-share : share)}%`;
        part('down', plane.layer).style.left = `${100*(point[right]+.5)/full[right]}%`;
      }
      if (pointed) showValueUnder(pointed.plane, pointed.event);
      else if (linked) showValue(point);
      redraw();
    }

    function setSlice(plane, slice) {
      setPoint(point.map((x, axis) => axis===plane.axes[0] ? slice : x));
    }

    function moveSlice(plane, steps) {
      stopPlayer();
      setSlice(plane, point[plane.axes[0]]+steps);
    }

    // The point of the values under a pointer, which may lie outside of them
    function pointUnder(plane, {clientX, clientY}) {
      const rect = plane.layer.getBoundingClientRect();
      const [, down, right] = plane.axes;
      const under = [...point];
      const row = Math.floor((clientY-rect.top)/rect.height*full[down]);
      under[down] = plane.upward ? full[down]-1-row : row;
      under[right] = Math.floor((clientX-rect.left)/rect.width*full[right]);
      return under;
    }

    // Where a point is: in a volume as a place in the patient and an index, otherwise as row and column of the file
    function placeText(at) {
      if (!settings.places) return `row ${at[1]}, column ${at[2]}`;
      const place = multiply(settings.places, at);
      const names = place.map((x, axis) => `${(x<0 ? 'RAI' : 'LPS')[axis]} ${Math.abs(x).toFixed(0)}`);
      return `${names.join(', ')} mm, voxel [${multiply(settings.voxels, at).map(Math.round).join(', ')}]`;
    }

    function valueText(code) {
      if (!windowed) return `(${new Uint8Array(Uint32Array.of(code).buffer).slice(0, 3).join(', ')})`;
      return code===settings.missing ? 'no value' : withUnit(settings.low+settings.step*code);
    }

    function showValue(at) {
      const text = valueText(values.codes[indexAt(values, at)]);
      const names = masks ? masks.combinations[labels.codes[indexAt(labels, at)]].map(k => masks.names[k]) : [];
      part('value').textContent = `${placeText(at)}: ${[text, ...names].join(', ')}`;
    }

    function showValueUnder(plane, event) {
      const under = pointUnder(plane, event);
      if (under.every((x, axis) => x>=0 && x<full[axis])) showValue(under);
      else part('value').textContent = settings.tip;
    }

    // Zoom

    function setZoom(plane, scale, x, y) {
      plane.scale = clamp(scale, 1, MOST_ZOOM);
      [plane.x, plane.y] = [x, y].map(offset => clamp(offset, 1-plane.scale, 0));
      Object.assign(plane.layer.style, {
        left: `${100*plane.x}%`, top: `${100*plane.y}%`,
        width: `${100*plane.scale}%`, height: `${100*plane.scale}%`,
      });
      plane.frame.classList.toggle('mi-near', plane.scale>2);
    }

    // Enlarges what is under a place of the screen, and takes it along by `dx` and `dy`
    function zoomAt(plane, ratio, clientX, clientY, dx = 0, dy = 0) {
      const rect = plane.frame.getBoundingClientRect();
      const scale = clamp(plane.scale*ratio, 1, MOST_ZOOM);
      const [x, y] = [(clientX-rect.left)/rect.width, (clientY-rect.top)/rect.height];
      const grown = scale/plane.scale;
      setZoom(plane, scale, x-(x-plane.x)*grown+dx/rect.width, y-(y-plane.y)*grown+dy/rect.height);
    }

    function zoomMiddle(plane, ratio) {
      const {left, top, width: wide, height} = plane.frame.getBoundingClientRect();
      zoomAt(plane, ratio, left+wide/2, top+height/2);
    }

    function reset() {
      if (windowed) setWindow(settings.level, settings.width);
      for (const plane of planes) setZoom(plane, 1, 0, 0);
    }

    // Mouse

    // As on consoles: to the right is wider, up is brighter
    function dragWindow(plane, event) {
      const [firstLevel, firstWidth] = [level, width];
      const brighter = settings.invert ? -1 : 1;
      followPointer(plane.frame, event, (dx, dy) => {
        const newLevel = toStep(firstLevel+brighter*dy*firstWidth/300);
        setWindow(newLevel, Math.max(toStep(firstWidth*Math.exp(dx/200)), settings.narrow));
      });
    }

    function dragPicture(plane, event) {
      const {scale, x, y} = plane;
      const {width: wide, height} = plane.frame.getBoundingClientRect();
      followPointer(plane.frame, event, (dx, dy) => setZoom(plane, scale, x+dx/wide, y+dy/height));
    }

    function dragCross(plane, event) {
      setPoint(pointUnder(plane, event));
      followPointer(plane.frame, event, (dx, dy, moved) => setPoint(pointUnder(plane, moved)));
    }

    function pressMouse(plane, event) {
      if (event.button===1) event.preventDefault();      // no scrolling by itself
      if (event.button===1 || event.shiftKey || !windowed) dragPicture(plane, event);
      else if (event.button===2 || !linked) dragWindow(plane, event);
      else dragCross(plane, event);
    }

    let lastScroll = -1e9;                               // when the page was scrolled
    let lastTurn = -1e9;                                 // when the wheel was turned over a picture
    let turned = 0;                                      // pixels of the wheel since the last slice

    // A stack at its end lets go of a wheel that starts anew
    function holdsWheel(plane, pixels, rest) {
      const end = pixels<0 ? 0 : plane.count-1;
      return point[plane.axes[0]]!==end || rest<400;
    }

    function scrollSlices(plane, pixels) {
      const now = performance.now();
      const rest = now-lastTurn;
      if (!holdsWheel(plane, pixels, rest)) return false;
      turned = rest>400 || turned*pixels<0 ? pixels : turned+pixels;
      lastTurn = now;
      if (Math.abs(turned)>=50) {
        moveSlice(plane, Math.sign(turned));
        turned = 0;
      }
      return true;
    }

    function turnWheel(plane, event) {
      const pixels = event.deltaY*[1, 33, 400][event.deltaMode];
      if (!pixels) return;                               // to the side
      if (event.ctrlKey) zoomAt(plane, Math.exp(-pixels/300), event.clientX, event.clientY);
      else if (performance.now()-lastScroll<200) return;    // it is scrolling the page, and goes on with that
      else if (!scrollSlices(plane, pixels)) return;
      event.preventDefault();
    }

    // Touch: one finger to the side goes through the slices, up and down is left to the page; two fingers zoom

    const fingers = new Map();                           // those on a picture, by their id
    let sliding = null;                                  // the drag of one finger

    function slideSlices(plane, event) {
      const first = point[plane.axes[0]];
      const pixels = Math.max(plane.frame.clientWidth/plane.count, 6);    // from slice to slice
      if (plane.count>1) sliding = followPointer(plane.frame, event, dx => {
        if (Math.abs(dx)>5) moveSlice(plane, first+Math.round(dx/pixels)-point[plane.axes[0]]);
      });
      else if (plane.scale>1) dragPicture(plane, event);
    }

    function middle([a, b]) {
      const x = (a.clientX+b.clientX)/2;
      return {x, y: (a.clientY+b.clientY)/2, distance: Math.hypot(a.clientX-b.clientX, a.clientY-b.clientY)};
    }

    function touchDown(plane, event) {
      fingers.set(event.pointerId, event);
      sliding?.abort();
      sliding = null;
      if (fingers.size===1) slideSlices(plane, event);
    }

    function touchMove(plane, event) {
      if (fingers.size===2 && fingers.has(event.pointerId)) {
        const before = middle([...fingers.values()]);
        fingers.set(event.pointerId, event);
        const now = middle([...fingers.values()]);
        zoomAt(plane, now.distance/before.distance, before.x, before.y, now.x-before.x, now.y-before.y);
      }
    }

    // A browser may scroll with two fingers, too
    function holdPage(event) {
      if (event.touches.length>1) event.preventDefault();
    }

    // Keys

    // What a key does to a plane
    const keys = {
      '+': plane => zoomMiddle(plane, 1.25),
      '=': plane => zoomMiddle(plane, 1.25),
      '-': plane => zoomMiddle(plane, .8),
      'r': reset,
    };
    const sliceKeys = {
      'ArrowUp': plane => moveSlice(plane, -1),
      'ArrowLeft': plane => moveSlice(plane, -1),
      'ArrowDown': plane => moveSlice(plane, 1),
      'ArrowRight': plane => moveSlice(plane, 1),
      'PageUp': plane => moveSlice(plane, -pageSlices(plane)),
      'PageDown': plane => moveSlice(plane, pageSlices(plane)),
      'Home': plane => moveSlice(plane, -plane.count),
      'End': plane => moveSlice(plane, plane.count),
      ' ': play,
    };

    function pageSlices(plane) {
      return Math.max(2, Math.round(plane.count/10));
    }

    function pressKey(plane, event) {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const action = keys[event.key] ?? (plane.count>1 && sliceKeys[event.key]);
      if (!action) return;
      action(plane);
      event.preventDefault();
      event.stopPropagation();
    }

    // Without a focus the keys belong to the picture under the mouse
    function pressKeyAnywhere(event) {
      if (pointed && box.isConnected && document.activeElement===document.body) pressKey(pointed.plane, event);
    }

    // Playing

    function stopPlayer() {
      if (!player) return;
      clearTimeout(player.timer);
      player.plane.button.textContent = 'Play';
      player = null;
    }

    function playOn() {
      if (!box.isConnected) return;
      const {plane, start} = player;
      const last = plane.count-1;
      const [slice] = plane.axes.map(axis => point[axis]);
      if (settings.sweep && (slice+player.direction<0 || slice+player.direction>last)) player.direction *= -1;
      setSlice(plane, (slice+player.direction+plane.count)%plane.count);
      // each picture of the page stands for as many of the file
      const seconds = (linked ? 1 : settings.of/plane.count)/inputs('rate')[0].value;
      player.due = Math.max(player.due+1000*seconds, performance.now()-start);
      player.timer = setTimeout(playOn, player.due-(performance.now()-start));
    }

    function play(plane) {
      const same = player?.plane===plane;
      stopPlayer();
      if (same) return;
      player = {plane, direction: 1, start: performance.now(), due: 0};
      plane.button.textContent = 'Pause';
      playOn();
    }

    function showRate() {
      const [input] = inputs('rate');
      part('rate').textContent = `${input.value} / s`;
      input.setAttribute('aria-valuetext', `${input.value} in a second`);
    }

    // The histogram: the band is moved, or one of its edges

    function dragBand(event) {
      const {edge} = event.target.dataset;
      const [start, end] = settings.span;
      const unitsPerPixel = (end-start)/histogram.firstElementChild.getBoundingClientRect().width;
      const [low, high] = [level-width/2, level+width/2];
      followPointer(event.target, event, dx => {
        const ends = [edge==='high' ? 0 : dx, edge==='low' ? 0 : dx].map(x => x*unitsPerPixel);
        const [left, right] = [low+ends[0], high+ends[1]].map(toStep).sort((a, b) => a-b);
        setWindow((left+right)/2, Math.max(right-left, settings.narrow));
      });
      event.preventDefault();
    }

    // What listens to what

    function pointAt(plane, event) {
      pointed = {plane, event};
      showValueUnder(plane, event);
    }

    function leavePicture(event) {
      if (event.pointerType==='touch') return;           // what was tapped stays
      pointed = null;
      if (linked) showValue(point);
      else part('value').textContent = settings.tip;
    }

    function listenToPicture(plane) {
      const {frame, slider, button} = plane;
      frame.addEventListener('pointerdown', event => {
        frame.focus({preventScroll: true});
        pointAt(plane, event);
        if (event.pointerType==='touch') touchDown(plane, event);
        else pressMouse(plane, event);
      });
      frame.addEventListener('pointermove', event => {
        pointAt(plane, event);
        if (event.pointerType==='touch') touchMove(plane, event);
      });
      frame.addEventListener('pointerleave', leavePicture);
      for (const name of ['pointerup', 'pointercancel']) {
        frame.addEventListener(name, event => fingers.delete(event.pointerId));
      }
      for (const name of ['touchstart', 'touchmove']) frame.addEventListener(name, holdPage, {passive: false});
      frame.addEventListener('click', event => {
        if (linked && event.pointerType==='touch') setPoint(pointUnder(plane, event));
      });
      frame.addEventListener('wheel', event => turnWheel(plane, event), {passive: false});
      frame.addEventListener('keydown', event => pressKey(plane, event));
      frame.addEventListener('contextmenu', event => event.preventDefault());
      frame.addEventListener('dblclick', reset);
      frame.dataset.lmSuppressShortcuts = 'true';        // else JupyterLab takes the keys
      if (!slider) return;
      slider.oninput = () => { stopPlayer(); setSlice(plane, +slider.value); };
      button.onclick = () => play(plane);
    }

    function listenToInputs() {
      const listen = (name, action) => { for (const input of inputs(name)) input.oninput = () => action(input); };
      listen('rate', showRate);
      if (!windowed) return;
      listen('mask', setMaskColors);
      listen('opacity', input => setOpacity(+input.value));
      listen('level', input => { if (input.value) setWindow(+input.value, width, input); });
      widthSlider.oninput = () => {
        setWindow(level, toStep(settings.narrow*widthRatio**(widthSlider.value/1000)), widthSlider);
      };
      widthField.oninput = () => { if (+widthField.value>0) setWindow(level, +widthField.value, widthField); };
      buttons.forEach((button, i) => { button.onclick = () => setWindow(...settings.presets[i]); });
      part('band').onpointerdown = dragBand;
    }

    function wake() {
      box.classList.add('mi-live');
      for (const still of parts('still')) still.remove();
      for (const input of box.querySelectorAll('[disabled]')) {
        input.disabled = false;
        input.dataset.lmSuppressShortcuts = 'true';
      }
    }

    planes.forEach(listenToPicture);
    listenToInputs();
    document.addEventListener('keydown', pressKeyAnywhere);
    addEventListener('scroll', () => { lastScroll = performance.now(); }, {capture: true, passive: true});
    if (masks) {
      for (const input of inputs('opacity')) input.value = masks.opacity;
      setMaskColors();
      setOpacity(masks.opacity);
    }
    if (windowed) setWindow(level, width);
    part('value').textContent = settings.tip;
    setPoint(point);
    if (inputs('rate').length) showRate();
    wake();
  }

  if (document.readyState==='loading') await new Promise(resolve => addEventListener('DOMContentLoaded', resolve));
  const waiting = () => [...document.querySelectorAll(`[data-explore="${settings.id}"]:not([data-live])`)];
  for (let i = 0; i<100 && !waiting().length; i++) await pause(50);
  for (const box of waiting()) {
    try {
      box.dataset.live = 'true';
      await startExplorer(box);
    } catch (error) {
      box.querySelector('.mi-value').textContent = `A still picture: ${error.message}`;
    }
  }
}
