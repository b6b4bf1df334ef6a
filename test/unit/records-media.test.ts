import { expect } from 'chai'
import { mediaIn } from '../../core/domain/records/media.ts'

const file = (url: string) => ({ v: 'v2', url, key: { k: 'k' }, iv: 'iv', hashes: {} })

describe('the files that a message carries', () => {
  it('are the file, its preview, and those of an edit, each once', () => {
    const image = {
      msgtype: 'm.image',
      file: file('mxc://h.example/a1'),
      info: { thumbnail_file: file('mxc://h.example/t1') },
    }
    expect(mediaIn(image)).to.have.members(['h.example/a1', 'h.example/t1'])
    const edited = { ...image, 'm.new_content': { ...image, file: file('mxc://other.example:8448/b_2-') } }
    expect(mediaIn(edited)).to.have.members(['h.example/a1', 'h.example/t1', 'other.example:8448/b_2-'])
  })

  it('are not what is nobody’s own: stickers of a pack, avatars, addresses in words', () => {
    for (const content of [
      { url: 'mxc://h.example/pack', info: { thumbnail_url: 'mxc://h.example/pack2' } },
      { body: 'mxc://h.example/x', msgtype: 'm.text' },
      { file: { url: 'mxc://h.example/no-key' } },
      { file: file('https://h.example/x') },
      { file: file('mxc://h.example/../../etc/passwd') },
    ])
      expect(mediaIn(content), JSON.stringify(content)).to.deep.equal([])
  })

  it('are looked for within bounds, whatever is sent', () => {
    let deep: unknown = file('mxc://h.example/deep')
    for (let i = 0; i < 5000; i++) deep = { deep }
    expect(mediaIn(deep)).to.deep.equal([])
    const many = Array.from({ length: 90 }, (_, i) => file(`mxc://h.example/m${i}`))
    expect(mediaIn({ many })).to.have.lengthOf(50)
    for (const odd of [null, undefined, 7, 'x', []]) expect(mediaIn(odd)).to.deep.equal([])
  })
})
