import type { Staged } from '../../shared/conversation/item.ts'

const longest = 2048
const quality = 0.85

/**
 * Draws the photo anew: place, time, camera and everything else that is not the picture is gone (row 59), the way up is kept, and it is small enough
 * for a phone line. Throws when the browser cannot read the file: an original with its metadata is never sent instead.
 */
export const preparePhoto = async (file: File): Promise<Staged> => {
  const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' })
  const scale = Math.min(1, longest / Math.max(bitmap.width, bitmap.height))
  const width = Math.max(1, Math.round(bitmap.width * scale))
  const height = Math.max(1, Math.round(bitmap.height * scale))
  const canvas = Object.assign(document.createElement('canvas'), { width, height })
  const pen = canvas.getContext('2d')
  if (!pen) throw new Error('no canvas')
  // A transparent screenshot would turn black as a JPEG.
  pen.fillStyle = '#ffffff'
  pen.fillRect(0, 0, width, height)
  pen.drawImage(bitmap, 0, 0, width, height)
  bitmap.close()
  const blob = await new Promise<Blob | null>(resolve => canvas.toBlob(resolve, 'image/jpeg', quality))
  if (!blob) throw new Error('the photo could not be encoded')
  return { kind: 'image', name: 'photo.jpg', blob, url: URL.createObjectURL(blob), width, height }
}
