import adapter from '@sveltejs/adapter-static';
import { sveltekit } from '@sveltejs/kit/vite';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** Where `npm run dev` finds the gateway. */
const gateway = process.env['GATEWAY_URL'] ?? 'http://127.0.0.1:8000';

/**
 * SvelteKit hides its announcer of new pages by a style attribute, which our content security
 * policy refuses. It gets the class that does the same.
 */
function announcerWithoutStyle(): Plugin {
  const style = /style="position: absolute;[^"]*"/;
  return {
    name: 'announcer-without-style',
    enforce: 'pre',
    transform: {
      filter: { id: /kit\/src\/runtime\/components\/root\.svelte$/ },
      handler(code) {
        if (!style.test(code)) this.error('The announcer of SvelteKit has changed.');
        return { code: code.replace(style, 'class="visually-hidden"'), map: null };
      },
    },
  };
}

export default defineConfig({
  plugins: [
    announcerWithoutStyle(),
    sveltekit({
      adapter: adapter({ fallback: 'index.html', precompress: true }),
      compilerOptions: { runes: true },
      // Assets are named from the root: one page serves every address.
      paths: { relative: false },
    }),
  ],
  // Fonts stay files: the page's policy forbids data: addresses.
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    // On a busy machine every build would be called slow.
    rolldownOptions: { checks: { bundlerTimings: false } },
  },
  server: {
    proxy: Object.fromEntries(
      ['/api', '/docs', '/openapi.json', '/.well-known'].map((path) => [path, gateway]),
    ),
  },
  test: { environment: 'happy-dom', include: ['src/**/*.test.ts'] },
});
