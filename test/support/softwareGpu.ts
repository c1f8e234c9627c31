import { existsSync } from 'node:fs';

// Debian's Chromium carries a Vulkan loader and a software GPU, which is enough to run WebGPU for real.
const chromium = '/usr/lib/chromium';

/** Environment of a process that is to find SwiftShader; the loader reads it as the process starts. */
export const softwareGpu = { LD_LIBRARY_PATH: chromium, VK_ICD_FILENAMES: `${chromium}/vk_swiftshader_icd.json` };

/** Why there is none, for the title of a test that is left out; false when there is one. */
export const noSoftwareGpu =
  !existsSync(softwareGpu.VK_ICD_FILENAMES) && `${softwareGpu.VK_ICD_FILENAMES} is not there`;
