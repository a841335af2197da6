import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { REQUIREMENTS } from '../requirements';

const root = resolve(__dirname, '../..');
const SKIPPING = /\b(skip|todo|xit|xtest|xdescribe)\b/;

/** Ids in the titles of a spec file's tests and groups, but for those that are skipped in the source. */
function claims(name: string, text: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node, source: ts.SourceFile): void => {
    if (ts.isCallExpression(node)) {
      const callee = node.expression.getText(source);
      if (/^(x?it|x?test|x?describe)\b|^describeStores$/.test(callee)) {
        if (SKIPPING.test(callee)) return;
        const title = node.arguments[0];
        if (title && (ts.isStringLiteralLike(title) || ts.isTemplateExpression(title)))
          found.push(...[...title.getText(source).matchAll(/\[([A-Z]+\d+)\]/g)].map((match) => match[1]));
      }
    }
    ts.forEachChild(node, (child) => visit(child, source));
  };
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.ES2023);
  visit(source, source);
  return found;
}

function specs(): string[] {
  return ['apps', 'libs', 'test']
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
    )
    .filter((file) => /[.-]spec\.ts$/.test(file));
}

describe('the requirements', () => {
  const claimed = new Set(specs().flatMap((file) => claims(file, readFileSync(join(root, file), 'utf8'))));

  it('are each claimed by a test', () => {
    expect(Object.keys(REQUIREMENTS).filter((id) => !claimed.has(id))).toEqual([]);
  });

  it('hold every id that a test claims', () => {
    expect([...claimed].filter((id) => !(id in REQUIREMENTS))).toEqual([]);
  });

  it('are not claimed by comments, other texts or skipped tests', () => {
    const text = `
      // it('[A1] in a comment')
      const title = '[A2] in a text';
      it.skip('[A3] skipped', () => {});
      describe.skip('[A4]', () => { it('[A5] in a skipped group', () => {}); });
      describeStores('[F2] on every store', () => { it.each([1])(\`[F10] and [F11] \${1}\`, () => {}); });
    `;
    expect(claims('made-up.spec.ts', text)).toEqual(['F2', 'F10', 'F11']);
  });
});
