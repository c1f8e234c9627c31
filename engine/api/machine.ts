import { z } from 'zod';

/** A device a worker process can be given. Memory in bytes, utilisation in percent; undefined where it cannot be known. */
export const DeviceInfo = z.object({
  /** `cuda:0`, `webgpu:0`, `cpu`. */
  id: z.string(),
  kind: z.enum(['cuda', 'webgpu', 'cpu']),
  name: z.string(),
  index: z.number().int().optional(),
  memoryTotal: z.number().optional(),
  memoryUsed: z.number().optional(),
  utilization: z.number().optional(),
  temperature: z.number().optional(),
  driver: z.string().optional(),
  cores: z.number().int().optional(),
});
export type DeviceInfo = z.infer<typeof DeviceInfo>;

export const DoctorCheck = z.object({
  /** `node`, `tensorflow`, `kernels`, `gpu`, `webgpu`, `wasm`, `sqlite`, `electron`, `browser`… */
  name: z.string(),
  status: z.enum(['ok', 'warning', 'missing', 'error']),
  /** What was found, in one line. */
  found: z.string(),
  /** Whether and why it is used. */
  reason: z.string().optional(),
  /** How to get better; undefined when nothing is left to gain. */
  advice: z.string().optional(),
});
export type DoctorCheck = z.infer<typeof DoctorCheck>;

export const DoctorReport = z.object({
  platform: z.string(),
  /** The tensor backend that a training started now would use. */
  backend: z.object({ name: z.string(), description: z.string(), gpu: z.boolean() }),
  checks: z.array(DoctorCheck),
  devices: z.array(DeviceInfo),
});
export type DoctorReport = z.infer<typeof DoctorReport>;
