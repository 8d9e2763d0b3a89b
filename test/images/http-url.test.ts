import { describe, expect, it } from 'vitest'
import { parseHttpUrl } from '../../images/http-url.ts'

describe('parseHttpUrl', () => {
  it.each([
    'http://ntfy.lab',
    'http://10.0.10.1:8080/alerts?topic=a&b=%20$HOME',
    'https://user:secret@example.org/hook/~me',
    'http://[fd00::1]:80/x',
  ])('accepts %s', (text) => {
    expect(parseHttpUrl(text)).toBe(text)
  })

  // `amtool check-config` of alertmanager 0.25 refuses most of these too.
  it.each([
    ...['', 'somewhere', 'mailto:me@lab', 'ftp://lab/x', 'http:lab', 'http:///x', 'http://', '<secret>', ' http://lab'],
    ...['http://lab/a b', 'http://lab/\n', 'http://la\nb', 'http://lab/%zz', 'http://lab\\x', 'http://la"b'],
    ...['http://lab/#x', 'http://lab:99999', 'http://lab/\0', 'http://lab/é'],
  ])('refuses %j', (text) => {
    expect(() => parseHttpUrl(text)).toThrow('is not a URL of a web server')
  })
})
