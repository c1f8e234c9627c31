import { setFlagsFromString } from 'node:v8';

/**
 * Has V8 count memory outside its heap (batches that threads hand over, 786 KB each for 64 pictures of 32 × 32) by the limit
 * that its heap has, too. By default it collects the whole heap after every 64 MiB of such memory, several times a second,
 * and helper threads with it: a tenth of the processor's time of a loader of small pictures. Peak memory is some 60 MB
 * higher. Read by V8 whenever it decides about a collection, so it may be set at any time; one that does not know the flag
 * ignores it.
 */
export function countBuffersInHeapLimit(): void {
  setFlagsFromString('--external-memory-accounted-in-global-limit');
}
