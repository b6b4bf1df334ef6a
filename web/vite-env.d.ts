/// <reference types="vite/client" />

declare module 'crypto.wasm?url' {
  const url: string
  // biome-ignore lint/style/noDefaultExport: Vite gives an asset's address as the default export
  export default url
}
