import { diffText } from './text-diff';
import { editText, patchText } from './text-edit';

describe('editText', () => {
  it('replaces text literally, as often as it is expected', () => {
    expect(editText('a.b a.b', { oldText: 'a.b', newText: '$&', count: 2 })).toBe('$& $&');
    expect(editText('aXbX', { oldText: 'X', newText: '', count: 'all' })).toBe('ab');
    expect(() => editText('axb', { oldText: '.', newText: '' })).toThrow(
      expect.objectContaining({ code: 'edit_mismatch' }),
    );
    expect(() => editText('xx', { oldText: 'x', newText: '' })).toThrow(/2 times, not 1/);
    expect(() => editText('y', { oldText: 'x', newText: '', count: 'all' })).toThrow(/0 times/);
  });

  it('keeps the line endings of the file', () => {
    expect(editText('a\r\nb\r\nc', { oldText: 'a\nb', newText: 'x\ny' })).toBe('x\r\ny\r\nc');
    expect(editText('a\r\nb\r\n', { oldText: 'a\r\nb', newText: 'a\nb' })).toBe('a\nb\r\n');
    expect(editText('a\r\nb\n', { oldText: 'b\n', newText: 'c\n' })).toBe('a\r\nc\n');
  });
});

describe('patchText', () => {
  const patch = '--- a\n+++ b\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n';

  it('fits a diff where its context is, also further down and with other line endings', () => {
    expect(patchText('one\ntwo\n', patch)).toBe('one\n2\n');
    expect(patchText('zero\none\ntwo\n', patch)).toBe('zero\none\n2\n');
    expect(patchText('one\r\ntwo\r\n', patch)).toBe('one\r\n2\r\n');
  });

  it('refuses what does not fit, and what is no diff of one file', () => {
    expect(() => patchText('one\nthree\n', patch)).toThrow(expect.objectContaining({ code: 'patch_rejected' }));
    for (const bad of ['', 'text', '--- a\n+++ b\n', '@@ -1,9 +1,9 @@\n one\n', patch + patch])
      expect(() => patchText('one\ntwo\n', bad)).toThrow(expect.objectContaining({ code: 'patch_invalid' }));
  });

  it('makes of one text the other by the diff between them', () => {
    const [before, after] = ['one\ntwo\nthree\nfour\n', 'zero\none\n3\nfour'];
    const diff = diffText('a.txt', Buffer.from(before), Buffer.from(after));
    expect(patchText(before, diff!)).toBe(after);
    expect(diffText('a.bin', Buffer.from([0]), Buffer.from('a'))).toBeUndefined();
  });
});
