package interop;

import com.helger.json.IJsonObject;
import com.helger.phase4.crypto.AS4CryptoFactoryInMemoryKeyStore;
import com.helger.phase4.crypto.IAS4CryptoFactory;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;

/** Key stores of one side: what it signs with, what it decrypts with, whom it believes. */
record Keys(IAS4CryptoFactory signing, IAS4CryptoFactory decryption, X509Certificate recipient) {

    static final String ALIAS = "key";
    static final char[] PASSWORD = "interop".toCharArray();

    /** Reads {@code signing}, {@code decryption} {@code authority}, {@code partner}, {@code recipient}: PEM files. */
    static Keys read(IJsonObject files) throws Exception {
        KeyStore trust = trusting(Path.of(files.getAsString("authority")));
        // Found here where a message names its signer and does not bring the certificate along.
        trust.setCertificateEntry("partner", certificate(Path.of(files.getAsString("partner"))));
        return new Keys(
                factory(Path.of(files.getAsString("signing")), trust),
                factory(Path.of(files.getAsString("decryption")), trust),
                certificate(Path.of(files.getAsString("recipient"))));
    }

    private static IAS4CryptoFactory factory(Path file, KeyStore trust) throws Exception {
        return new AS4CryptoFactoryInMemoryKeyStore(store(file), ALIAS, PASSWORD, trust);
    }

    /** Puts a certificate (PEM) and the private key beside it (PEM, PKCS#8) into a key store. */
    static KeyStore store(Path pem) throws Exception {
        X509Certificate certificate = certificate(pem);
        String text = Files.readString(Path.of(pem.toString().replaceAll("[.]pem$", ".key")));
        byte[] octets = Base64.getMimeDecoder().decode(text.replaceAll("-----[^-]+-----", ""));
        PrivateKey key = KeyFactory.getInstance(certificate.getPublicKey().getAlgorithm())
                .generatePrivate(new PKCS8EncodedKeySpec(octets));
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, PASSWORD);
        store.setKeyEntry(ALIAS, key, PASSWORD, new Certificate[] {certificate});
        return store;
    }

    static KeyStore trusting(Path pem) throws Exception {
        KeyStore trust = KeyStore.getInstance("PKCS12");
        trust.load(null, PASSWORD);
        trust.setCertificateEntry("authority", certificate(pem));
        return trust;
    }

    static X509Certificate certificate(Path pem) throws Exception {
        try (InputStream in = Files.newInputStream(pem)) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
    }
}
