import { defineConfig } from 'vite';

// Names hold a digest of what is in the file, so that the same sources give the same folder everywhere.
export default defineConfig({
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 400,
  },
  // `npm run dev` beside a router: the page from here, everything else from there.
  server: { proxy: { '/v1': 'http://127.0.0.1:8080', '/log': 'http://127.0.0.1:8080', '/verify.html': 'http://127.0.0.1:8080' } },
});
