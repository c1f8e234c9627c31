/** How project modules are loaded; another function in places where `import()` is somebody else's. */
export type ImportModule = (url: string) => Promise<object>;

export const importModule: ImportModule = async (url) => {
  const module: object = await import(/* @vite-ignore */ url);
  return module;
};
