/** What the machine offers, for callers that need no project. */
export { listDevices } from '../backend/devices.ts';
export { inspectMachine } from '../backend/doctor.ts';
