import { expect, test } from 'vitest'
import { html, trusted } from './markup.ts'

test('text and numbers are escaped, markup is kept, lists are joined, nothing is left out', () => {
  const item = (text: string) => html`<li>${text}</li>`
  expect(html`<ul title="${'"a\' & <b>'}">${['x', '<y>'].map(item)}${null}${undefined}${false}${0}</ul>`.text).toBe(
    '<ul title="&quot;a&#39; &amp; &lt;b&gt;"><li>x</li><li>&lt;y&gt;</li>0</ul>',
  )
  expect(html`${trusted('<b>')}`.text).toBe('<b>')
})

test('an object that looks like markup is not taken for it', () => {
  const forged = { text: '<script>' } as unknown as string
  expect(html`${forged}`.text).not.toContain('<script>')
})

test('control characters and lone surrogates are replaced', () => {
  expect(html`${'a\u0000b\u001bc\ud800d\ne\tf😀'}`.text).toBe('a\ufffdb\ufffdc\ufffdd\ne\tf😀')
})
