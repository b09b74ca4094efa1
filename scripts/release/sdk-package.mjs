// The package `@gptj-cloud/sdk`: what the compiler has written, without tests. It has no dependency.
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const SHIPPED = /\.(?:js|d\.ts)$/;
const NOT_SHIPPED = /\.(?:test|contract|fixture)\.|(?:^|[\\/])testing[\\/]/;
/** The compiler leaves these in declarations, which other compilers refuse. */
const IMPORTED_SOURCE = /((?:from |import\()['"]\.[^'"]*)\.ts(?=['"])/g;
const OWN_PACKAGE = /['"]@gptj-cloud\/|['"]zod['"]/;

export function writeSdkPackage({ root, folder }) {
  const sdk = join(root, 'packages', 'sdk');
  const { name, version, description, type } = JSON.parse(readFileSync(join(sdk, 'package.json'), 'utf8'));
  const { license, engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const file of readdirSync(join(sdk, 'dist'), { recursive: true, encoding: 'utf8' })) {
    if (!SHIPPED.test(file) || NOT_SHIPPED.test(file)) continue;
    const text = readFileSync(join(sdk, 'dist', file), 'utf8').replace(/^\/\/# sourceMappingURL=.*$/gm, '');
    if (OWN_PACKAGE.test(text)) throw new Error(`packages/sdk/dist/${file}: expected no import of another package`);
    const target = join(folder, 'dist', file);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, file.endsWith('.d.ts') ? text.replaceAll(IMPORTED_SOURCE, '$1.js') : text);
  }
  for (const text of ['LICENSE', 'NOTICE']) cpSync(join(root, text), join(folder, text));
  cpSync(join(sdk, 'README.md'), join(folder, 'README.md'));
  const manifest = {
    name,
    version,
    description,
    license,
    type,
    engines,
    sideEffects: false,
    files: ['dist', 'NOTICE'],
    exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
  };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}
