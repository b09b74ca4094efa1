import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type KeyPress, matchKeys, pressOf, showKeys } from './shortcut-keys.ts';

const bare: KeyPress = { key: '', code: '', ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };

test('a press is named by its modifiers and its key', () => {
  assert.equal(pressOf({ ...bare, key: 'k', metaKey: true }), 'mod+k');
  assert.equal(pressOf({ ...bare, key: 'Z', ctrlKey: true, shiftKey: true }), 'mod+shift+z');
  assert.equal(pressOf({ ...bare, key: 'ArrowLeft', altKey: true }), 'alt+left');
  assert.equal(pressOf({ ...bare, key: 'Control', ctrlKey: true }), '');
});

test('Shift is no modifier of a character that needs it', () => {
  assert.equal(pressOf({ ...bare, key: '?', shiftKey: true }), '?');
});

test('Alt with a letter is the letter of the key, not of the keyboard layer', () => {
  assert.equal(pressOf({ ...bare, key: '†', code: 'KeyT', altKey: true }), 'alt+t');
});

test('a shortcut of two keys needs both in a row', () => {
  assert.equal(matchKeys('g h', 'g', 'h'), true);
  assert.equal(matchKeys('g h', '', 'h'), false);
  assert.equal(matchKeys('h', 'g', 'h'), true);
});

test('keys are shown as the keyboard of the platform writes them', () => {
  assert.deepEqual(showKeys('mod+k', true), ['⌘', 'K']);
  assert.deepEqual(showKeys('mod+k', false), ['Ctrl', 'K']);
  assert.deepEqual(showKeys('g h', false), ['g', 'h']);
  assert.deepEqual(showKeys('alt+enter', false), ['Alt', '↵']);
});
