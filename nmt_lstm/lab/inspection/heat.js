// Values in shades, and pictures of them. The colours are those of the page.
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Colours: paper to accent for shares, worse to paper to accent for values around zero.
const LEVELS = 255;
const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
const mix = (one, other, share) => one.map((value, at) => Math.round(value + (other[at] - value) * share));
const packed = ([red, green, blue]) => (255 << 24) | (blue << 16) | (green << 8) | red; // a pixel of a canvas
let ramp = {};
const prepareColours = () => {
  const [paper, accent, worse] = ["--paper", "--accent", "--worse"].map((name) => rgb(css(name)));
  ramp = { gate: new Int32Array(LEVELS), signed: new Int32Array(LEVELS) };
  for (let level = 0; level < LEVELS; level += 1) {
    const share = level / (LEVELS - 1);
    ramp.gate[level] = packed(mix(paper, accent, share));
    const away = Math.sqrt(Math.abs(2 * share - 1));
    ramp.signed[level] = packed(mix(paper, share < 0.5 ? worse : accent, away));
  }
};

// A picture of `columns` x `rows` levels, stretched over a canvas.
const heat = (node, columns, rows, level, colours) => {
  const small = document.createElement("canvas");
  [small.width, small.height] = [columns, rows];
  const context = small.getContext("2d");
  const image = context.createImageData(columns, rows);
  const pixels = new Int32Array(image.data.buffer);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      pixels[row * columns + column] = colours[level(column, row)];
    }
  }
  context.putImageData(image, 0, 0);
  const big = node.getContext("2d");
  big.imageSmoothingEnabled = false;
  big.clearRect(0, 0, node.width, node.height);
  big.drawImage(small, 0, 0, node.width, node.height);
};
