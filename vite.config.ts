import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// The renderer alone: the engine runs from its sources, and must never end up in a browser bundle.
export default defineConfig({
  root: 'renderer',
  base: './',
  publicDir: '../resources/icons',
  plugins: [react()],
  build: { outDir: '../dist/renderer', emptyOutDir: true, target: 'es2024', chunkSizeWarningLimit: 1500 },
});
