export { describeCpu, listDevices } from './devices.ts';
export { inspectMachine } from './doctor.ts';
export { isMixedPrecision, setMixedPrecision } from './kernels/autocast.ts';
export { attribute, type NativeBackend, nativeBackendOf } from './kernels/nativeBackend.ts';
export { tryOneDnn, tryOptional, withPlainKernels } from './kernels/optional.ts';
export { nativeSessions } from './kernels/ownKernels.ts';
export { loadBackend } from './loadBackend.ts';
export {
  type NativeAttribute,
  type NativeBinding,
  type NativeTensor,
  nativeBinding,
  withoutStatus,
} from './nativeBinding.ts';
export { tensorflowObstacle } from './tensorflow.ts';
export { type BackendName, type BackendRequest, backendNames, type LoadedBackend, type TensorApi } from './types.ts';
