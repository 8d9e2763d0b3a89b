import { existsSync } from 'node:fs'
import { expect, it } from 'vitest'
import { describeOnShells, FakeDevice } from '../../../helpers/fake-device.ts'
import { SCRIPT, SHELLS } from '../../../helpers/fake-initramfs.ts'
import { memory } from '../../../helpers/temp.ts'
import { type Random, randomFrom } from '../../../power-cut/random.ts'

const GOOD = 'hangar-slot 1\nbase 1 100\nkernel 101 50\nhost 151 4\nend 155 0\n'
const COUNT = 250
const ODD = ['$(>x)', '`>x`', 'x[$(>x)]', 'a;touch', '../../../x', '-rf', '*', '1+1', '0x10', '08', '-1', 'blocks']
const MORE = ['end', '', '99999999999999999999', '\0', '\\', '\u001b[2J', 'base', '\n', ' ', 'x'.repeat(5000)]

function mutant(random: Random): string {
  const below = (count: number) => Math.floor(random() * count)
  const words = GOOD.split(/(\s)/)
  for (let count = 1 + below(2); count > 0; count--) {
    const at = below(words.length)
    if (random() < 0.7) words[at] = [...ODD, ...MORE][below(ODD.length + MORE.length)] ?? ''
    else words.splice(at, 1 + below(3))
  }
  return words.join('')
}

/** Reads each index in its own shell, as the initramfs does, and records every call with its arguments. */
const LOOP = `
log() { for each; do printf '<%s>' "$each"; done >>"$CALLED"; echo >>"$CALLED"; }
dmsetup() { log dmsetup "$@"; }
mount() { log mount "$@"; }
mkdir() { log mkdir "$@"; }
fail_boot() { echo "failed: $*"; exit 9; }
SLOT=a
for each in "$FAKE_ROOT"/indices/*; do
  RUN=$FAKE_ROOT/run CALLED=$FAKE_ROOT/called/\${each##*/}
  cp "$each" "$RUN/index"
  ( mount_layers 2>&1 ) | head -c 300 | tr '\\n' ' '
  echo
done`

const FUNCTIONS = SCRIPT.slice(SCRIPT.indexOf('mount_layers() {'), SCRIPT.indexOf('stack_root() {'))

describeOnShells(
  "a slot's index",
  (shell) => {
    it('the initramfs executes no text of an index with errors, and reads it to its end', async () => {
      const device = await FakeDevice.under(shell, memory())
      const texts = [GOOD, ...Array.from({ length: COUNT }, (_, place) => mutant(randomFrom(13, place)))]
      const names = texts.map((_, index) => String(index).padStart(4, '0'))
      for (const [index, text] of texts.entries()) device.write(`indices/${names[index]}`, text)
      device.write('run/layers/.keep', '')
      device.write('called/.keep', '')
      const said = device
        .run(FUNCTIONS + LOOP)
        .stdout.slice(0, -1)
        .split('\n')
      expect(said).toHaveLength(texts.length)
      expect([said[0], device.read('called/0000').split('\n')]).toEqual([
        '',
        [...['base 8 800', 'kernel 808 400', 'host 1208 32'].flatMap((layer) => calls(device.path('run'), layer)), ''],
      ])
      const called = names.map((name) => device.read(`called/${name}`))
      // Every layer is linear and read-only, and its name is one word.
      const lines = called.flatMap((text) => text.split('\n').filter((line) => line.startsWith('<dmsetup><create>')))
      const linear =
        /^<dmsetup><create><--readonly><hangar-\S*><--table><0 -?\d+ linear \/dev\/mapper\/hangar-slot -?\d+>$/
      expect(lines.filter((line) => !linear.test(line.replaceAll('\u001b', '')))).toEqual([])
      const failed = said.filter((line) => line.includes('failed: '))
      expect([failed.length > 20, failed.length < COUNT]).toEqual([true, true])
      expect([existsSync(device.path('x')), existsSync(device.path('run/x'))]).toEqual([false, false])
      // Negative control: with eval, the text is executed.
      const weakened = FUNCTIONS.replace('mkdir -p', 'eval mkdir -p')
      device.run(weakened + LOOP)
      expect([weakened === FUNCTIONS, existsSync(device.path('x'))]).toEqual([false, true])
    })
  },
  SHELLS,
)

function calls(run: string, layer: string): string[] {
  const [name, first, blocks] = layer.split(' ')
  return [
    `<dmsetup><create><--readonly><hangar-${name}><--table><0 ${blocks} linear /dev/mapper/hangar-slot ${first}>`,
    `<dmsetup><mknodes><hangar-${name}>`,
    `<mkdir><-p><${run}/layers/${name}>`,
    `<mount><-t><erofs><-o><ro></dev/mapper/hangar-${name}><${run}/layers/${name}>`,
  ]
}
