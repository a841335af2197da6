import { EnvError } from '@scorpio/config';
import { DomainError } from '@scorpio/kernel';
import { bootFault } from './boot-fault';

const system = (fields: object): Error => Object.assign(new Error('listen failed'), fields);

describe('bootFault', () => {
  it('names a port in use and how to change it, without a stack', () => {
    expect(bootFault(system({ code: 'EADDRINUSE', port: 8000, address: '127.0.0.1' }))).toBe(
      'Port 8000 on 127.0.0.1 is in use. Stop the other program, or choose another port: PORT=8001 npm start',
    );
  });

  it.each([
    ['a port for root alone', { code: 'EACCES', port: 80, address: '0.0.0.0' }, /Port 80 .*PORT=8000/],
    ['a foreign address', { code: 'EADDRNOTAVAIL', port: 8000, address: '10.1.1.1' }, /HOST=10\.1\.1\.1/],
    ['a name nobody knows', { code: 'ENOTFOUND', hostname: 'nosuch.invalid' }, /HOST=nosuch\.invalid/],
    ['a file without permission', { code: 'EACCES', path: '/x' }, /No permission/],
  ])('has one line for %s', (_name, fields, line) => {
    const text = bootFault(system(fields));
    expect(text).toMatch(line);
    expect(text).not.toMatch(/\n|\bat /);
  });

  it('says what the parts themselves say, and the hint', () => {
    expect(bootFault(new EnvError(['PORT: must be a whole number']))).toContain('PORT: must be a whole number');
    const error = new DomainError('unavailable', 'data_dir_in_use', 'The folder is in use.', {
      hint: 'Stop the other.',
    });
    expect(bootFault(error)).toBe('The folder is in use. Stop the other.');
  });

  it('shows where an unforeseen fault came from, but no secret', () => {
    const text = bootFault(new Error('cannot reach mongodb://me:planted-password@db/x'));
    expect(text).toMatch(/boot-fault\.spec/);
    expect(text).not.toContain('planted-password');
  });
});
