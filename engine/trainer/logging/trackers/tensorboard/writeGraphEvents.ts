import { EventFile } from './eventFile.ts';
import { graphEvent } from './eventProto.ts';

/** Writes an encoded GraphDef as an event file into `folder`, for TensorBoard's Graphs tab. Throws what writing throws. */
export function writeGraphEvents(folder: string, graph: Uint8Array): void {
  const seconds = Date.now() / 1000;
  const file = new EventFile(folder, seconds, () => undefined);
  file.add(graphEvent(seconds, graph));
  file.close();
}
