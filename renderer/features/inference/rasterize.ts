/** What the model takes. */
export interface ImageSize {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

// MNIST's own preparation: the ink's bounding box scaled into 20 of 28 pixels, its centre of mass in the middle
// (http://yann.lecun.com/exdb/mnist). Models trained on such images misread a digit drawn small in a corner.
const INK_SHARE = 20 / 28;

/** The drawing as row-major [height, width, channels] values in [0, 1], centred by its mass as MNIST's images are. */
export function rasterize(canvas: HTMLCanvasElement, size: ImageSize): Float64Array<ArrayBuffer> {
  const pixels = new Float64Array(size.width * size.height * size.channels);
  const source = canvas.getContext('2d', { willReadFrequently: true });
  const ink = source && inkOf(source.getImageData(0, 0, canvas.width, canvas.height));
  if (!ink) return pixels;
  const scale = (INK_SHARE * Math.min(size.width, size.height)) / Math.max(ink.width, ink.height);
  const target = new OffscreenCanvas(size.width, size.height).getContext('2d');
  if (!target) return pixels;
  target.fillStyle = '#000';
  target.fillRect(0, 0, size.width, size.height);
  target.imageSmoothingQuality = 'high';
  target.drawImage(
    canvas,
    ink.left,
    ink.top,
    ink.width,
    ink.height,
    size.width / 2 - (ink.centerX - ink.left) * scale,
    size.height / 2 - (ink.centerY - ink.top) * scale,
    ink.width * scale,
    ink.height * scale,
  );
  const data = target.getImageData(0, 0, size.width, size.height).data;
  for (let index = 0; index < size.width * size.height; index++) {
    const value = (data[index * 4] ?? 0) / 255;
    for (let channel = 0; channel < size.channels; channel++) pixels[index * size.channels + channel] = value;
  }
  return pixels;
}

interface Ink {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly centerX: number;
  readonly centerY: number;
}

function inkOf(image: ImageData): Ink | undefined {
  let left = image.width;
  let right = -1;
  let top = image.height;
  let bottom = -1;
  let mass = 0;
  let sumX = 0;
  let sumY = 0;
  for (let y = 0; y < image.height; y++) {
    for (let x = 0; x < image.width; x++) {
      const value = image.data[(y * image.width + x) * 4] ?? 0;
      if (value < 16) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
      mass += value;
      sumX += value * (x + 0.5);
      sumY += value * (y + 0.5);
    }
  }
  if (mass === 0) return undefined;
  return {
    left,
    top,
    width: right - left + 1,
    height: bottom - top + 1,
    centerX: sumX / mass,
    centerY: sumY / mass,
  };
}
