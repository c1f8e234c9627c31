import { loadNamedBackend } from './loadBackend.ts';

/** What a probe process prints: one backend tried for real, on its own, where a crash or a thread count harms nobody. */
export type ProbeResult =
  | { readonly works: true; readonly description: string; readonly gpu: boolean }
  | { readonly works: false; readonly reason: string };

/** Loads the named backend and adds two numbers with it. */
export async function probeBackend(name: string): Promise<ProbeResult> {
  try {
    const { tf, description, gpu } = await loadNamedBackend(name, {}, false);
    const [sum] = await tf.add(1, 2).data();
    if (sum !== 3) return { works: false, reason: `it computes wrongly (1 + 2 gave ${sum})` };
    return { works: true, description, gpu };
  } catch (error) {
    return { works: false, reason: error instanceof Error ? error.message : String(error) };
  }
}
