import type { Socket } from 'node:net';

/** Sends an array's bytes over a socket and takes as many from the other side; nothing is done with them. */
export function exchange(socket: Socket, values: Float32Array): Promise<void> {
  let missing = values.byteLength;
  const received = new Promise<void>((resolve) => {
    const take = (chunk: Uint8Array) => {
      missing -= chunk.length;
      if (missing > 0) return;
      socket.off('data', take);
      socket.pause();
      // what belongs to the next round waits until it is asked for
      if (missing < 0) socket.unshift(chunk.subarray(chunk.length + missing));
      resolve();
    };
    socket.on('data', take);
    socket.resume();
  });
  const sent = new Promise<void>((resolve) => {
    socket.write(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), () => resolve());
  });
  return Promise.all([received, sent]).then(() => undefined);
}
