// Compiles the tests and runs them: node reads no TypeScript before version 22.

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { build } from 'vite';

const input = readdirSync('src', { recursive: true }).filter((path) => path.endsWith('.test.ts')).map((path) => `src/${path}`);
const outDir = 'node_modules/.tests';
await build({ logLevel: 'warn', build: { ssr: true, outDir, emptyOutDir: true, rollupOptions: { input } } });
process.exit(spawnSync(process.execPath, ['--test', outDir], { stdio: 'inherit' }).status ?? 1);
