// The small nets that several benchmarks train, made of our layers.
import { Conv2d, Flatten, Linear, MaxPool2d, type Module, ReLU, Sequential } from '../../../engine/index.ts';

/** For images of this many channels and this size. */
export function smallCnn(channels = 1, size = 28): Module {
  return new Sequential(
    new Conv2d({ in_channels: channels, out_channels: 8, kernel_size: 3, padding: 1 }),
    new ReLU(),
    new MaxPool2d({ kernel_size: 2 }),
    new Conv2d({ in_channels: 8, out_channels: 16, kernel_size: 3, padding: 1 }),
    new ReLU(),
    new MaxPool2d({ kernel_size: 2 }),
    new Flatten(),
    new Linear({ in_features: 16 * (size / 4) ** 2, out_features: 10 }),
  );
}

/** For digits. */
export function smallMlp(): Module {
  return new Sequential(
    new Flatten(),
    new Linear({ in_features: 784, out_features: 128 }),
    new ReLU(),
    new Linear({ in_features: 128, out_features: 10 }),
  );
}
