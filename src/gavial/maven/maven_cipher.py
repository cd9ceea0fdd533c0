"""Passwords as `mvn --encrypt-password` writes them (Maven 3, plexus-cipher 1.x).

Inside the braces is base64 of salt (8 bytes), the length of the padding (1), the ciphertext and
the padding. AES-128 in CBC mode, key and IV from SHA-256 of password and salt.

Source: https://maven.apache.org/guides/mini/guide-encryption.html
"""

from __future__ import annotations

import binascii
import hashlib
import re
from base64 import b64decode

from gavial.errors import ConfigurationError

# The master password itself is encrypted with this word, which everybody knows.
KEY_OF_MASTER = "settings.security"
_BRACED = re.compile(r"(?<!\\)\{(.+?)(?<!\\)\}", re.DOTALL)


def decrypt(written: str, key: str, what: str) -> str:
    """The text that `written` holds, encrypted, between braces.

    Args:
        what: how a message names it.

    Raises:
        ConfigurationError: it is of Maven 4, damaged, or was encrypted with another key.
    """
    found = _BRACED.search(written)
    if found is None:
        raise ConfigurationError(f"Cannot decrypt {what}: there is nothing between braces in it.")
    inside = found[1].strip()
    if inside.startswith("["):  # {[name=master,cipher=AES/GCM/NoPadding,version=4.0]…}
        raise ConfigurationError(
            f"Cannot decrypt {what}: it is in the form of Maven 4. Encrypt it with Maven 3, or set "
            "the password in the environment."
        )
    try:
        data = b64decode(inside, validate=True)
        salt, padding = data[:8], data[8]
        text = _aes(data[9 : len(data) - padding], hashlib.sha256(key.encode() + salt).digest())
        return text.decode()
    except (binascii.Error, IndexError, ValueError) as error:
        raise ConfigurationError(
            f"Cannot decrypt {what}: it is damaged, or was encrypted with another master password."
        ) from error


def _aes(data: bytes, digest: bytes) -> bytes:
    try:
        from cryptography.hazmat.primitives import padding
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    except ImportError as error:
        raise ConfigurationError(
            'Encrypted passwords of Maven need the library cryptography: pip install "gavial"'
        ) from error
    decryptor = Cipher(algorithms.AES(digest[:16]), modes.CBC(digest[16:])).decryptor()
    padded = decryptor.update(data) + decryptor.finalize()
    unpadder = padding.PKCS7(128).unpadder()
    return unpadder.update(padded) + unpadder.finalize()
