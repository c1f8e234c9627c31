// Run by set-up in a process of its own: native TensorFlow loads and computes, or this ends with its error.
import { loadBackend } from '../backend/index.ts';

const { tf, tensorflowVersion, gpu } = await loadBackend({ backend: 'tensorflow' });
const ones = tf.ones([64, 64]);
const total = (await tf.matMul(ones, ones).sum().data())[0];
if (total !== 64 ** 3) throw new Error(`TensorFlow multiplied two matrices wrongly: ${total} instead of ${64 ** 3}`);
process.stdout.write(`${JSON.stringify({ version: tensorflowVersion, gpu })}\n`);
