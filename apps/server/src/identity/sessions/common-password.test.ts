import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCommonPassword } from './common-password.ts';

const percy = { username: 'percy-shelley', email: 'Percy.B@example.com' };
const isCommon = (password: string): boolean => isCommonPassword(password, percy);

test('refuses the passwords that attackers try first, in every case and with digits for letters', () => {
  const common = [
    ...['password', 'Password1', 'PASSWORD', 'P@ssw0rd', 'p@$$w0rd123!', 'passw0rd', 'Password123!', 'MyPassword'],
    ...['12345678', '123456789', '87654321', '11111111', '12121212', 'abcabcabc', 'abcdefgh', 'aaaaaaaaaaaaaaaa'],
    ...['qwertyui', 'qwertyuiop', 'Qwerty123', '1qaz2wsx', 'asdfghjkl', '1q2w3e4r', 'zxcvbnm123', 'poiuytrewq'],
    ...['letmein1', 'iloveyou', 'trustno1', 'sunshine', 'princess', 'football', 'baseball1', 'superman', 'Welcome1'],
    ...[
      'Michael1',
      'jennifer',
      'Liverpool1',
      'Starwars1',
      'Pokemon1',
      'Summer2024',
      'monkey12',
      'Dragon123',
      '!!admin!!',
    ],
    ...['changeme', 'administrator', 'secret123', 'ｐａｓｓｗｏｒｄ', 'testtest', 'gptjcloud'],
    ...['percy-shelley', 'Percy-Shelley1', 'percy.b2024', 'percy.b@example.com'],
  ];
  for (const password of common) assert.equal(isCommon(password), true, password);
});

test('accepts others, long phrases of common words among them', () => {
  const rare = [
    ...['correct horse battery staple', 'Ozymandias1818', 'Frankenstein1818', 'monkey dragon piano', 'Aa345678'],
    ...['xK9#mQ2vL', 'dragon839201744', 'ein schöner langer Satz', '密码不是很常见的', 'aVeryUncommonOne'],
  ];
  for (const password of rare) assert.equal(isCommon(password), false, password);
});

test('takes few steps for the longest password', () => {
  for (const unit of ['a', '1', '!', 'ab', '٣']) isCommon(unit.repeat(200).slice(0, 200));
  assert.equal(isCommon('1'.repeat(200)), true);
});
