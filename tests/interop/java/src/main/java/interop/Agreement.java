package interop;

import com.helger.base.state.ETriState;
import com.helger.json.IJsonObject;
import com.helger.phase4.CAS4;
import com.helger.phase4.crypto.AS4CryptParams;
import com.helger.phase4.crypto.AS4SigningParams;
import com.helger.phase4.crypto.ECryptoAlgorithmCrypt;
import com.helger.phase4.crypto.ECryptoAlgorithmSign;
import com.helger.phase4.crypto.ECryptoAlgorithmSignDigest;
import com.helger.phase4.crypto.ECryptoKeyEncryptionAlgorithm;
import com.helger.phase4.crypto.ECryptoKeyIdentifierType;
import com.helger.phase4.incoming.IAS4IncomingMessageState;
import com.helger.phase4.model.EMEP;
import com.helger.phase4.model.EMEPBinding;
import com.helger.phase4.model.pmode.PMode;
import com.helger.phase4.model.pmode.PModeJsonConverter;
import com.helger.phase4.model.pmode.PModeParty;
import com.helger.phase4.model.pmode.PModeReceptionAwareness;
import com.helger.phase4.model.pmode.leg.EPModeSendReceiptReplyPattern;
import com.helger.phase4.model.pmode.leg.PModeLeg;
import com.helger.phase4.model.pmode.leg.PModeLegBusinessInformation;
import com.helger.phase4.model.pmode.leg.PModeLegErrorHandling;
import com.helger.phase4.model.pmode.leg.PModeLegProtocol;
import com.helger.phase4.model.pmode.leg.PModeLegReliability;
import com.helger.phase4.model.pmode.leg.PModeLegSecurity;
import com.helger.phase4.wss.EWSSVersion;

/** What two gateways agreed on, in phase4's terms; {@code signature} decides the profile. */
final class Agreement {

    final String name;
    final Keys keys;
    final PModeParty sender;
    final PModeParty receiver;
    final String service;
    final String serviceType;
    final String action;
    private final ECryptoAlgorithmSign signature;
    private final boolean encrypted;
    private final ECryptoKeyIdentifierType reference;
    private final boolean isPath;
    private final PMode given;

    Agreement(IJsonObject wanted) throws Exception {
        name = wanted.getAsString("name");
        keys = Keys.read(wanted.getAsObject("keys"));
        sender = party(wanted.getAsObject("sender"));
        receiver = party(wanted.getAsObject("receiver"));
        service = wanted.getAsString("service");
        serviceType = wanted.getAsString("service_type");
        action = wanted.getAsString("action");
        signature = ECryptoAlgorithmSign.valueOf(wanted.getAsString("signature"));
        encrypted = wanted.getAsBoolean("is_encrypted", true);
        reference = ECryptoKeyIdentifierType.valueOf(wanted.getAsString("reference"));
        isPath = wanted.getAsBoolean("is_path", false);
        IJsonObject mode = wanted.getAsObject("mode");
        given = mode == null ? null : PModeJsonConverter.convertToNative(mode);
    }

    private static PModeParty party(IJsonObject party) {
        return new PModeParty(
                party.getAsString("type"), party.getAsString("id"), party.getAsString("role"), null, null);
    }

    /** The same on signatures of messages, of receipts and of errors. */
    AS4SigningParams signing() {
        return AS4SigningParams.createDefault()
                .setAlgorithmSign(signature)
                .setAlgorithmSignDigest(ECryptoAlgorithmSignDigest.DIGEST_SHA_256)
                .setUseSingleCertificate(!isPath)
                .setKeyIdentifierType(reference);
    }

    /** Encryption for the other side; one without algorithm encrypts nothing. */
    AS4CryptParams encryption() {
        AS4CryptParams how = new AS4CryptParams().setKeyIdentifierType(reference);
        if (!encrypted) {
            return how;
        }
        how.setAlgorithmCrypt(ECryptoAlgorithmCrypt.AES_128_GCM).setCertificate(keys.recipient());
        return switch (signature) {
            case EDDSA_ED25519 -> how.setEDelivery2KeyAgreementX25519();
            case ECDSA_SHA_256 -> how.setEDelivery2KeyAgreementECDHES();
            default -> how.setKeyEncAlgorithm(ECryptoKeyEncryptionAlgorithm.RSA_OAEP_XENC11);
        };
    }

    /** The P-Mode for the address at which this side receives; the one that was given, or one made of the terms. */
    PMode mode(String address) {
        if (given != null) {
            return given;
        }
        PModeLeg leg = new PModeLeg(
                PModeLegProtocol.createForDefaultSoapVersion(address),
                new PModeLegBusinessInformation(service, serviceType, action, null, null, null, null),
                new PModeLegErrorHandling(
                        null, null, ETriState.TRUE, ETriState.TRUE, ETriState.TRUE, ETriState.TRUE),
                (PModeLegReliability) null,
                security());
        return new PMode(
                name, sender, receiver, null, EMEP.ONE_WAY, EMEPBinding.PUSH, leg, null, null,
                PModeReceptionAwareness.createDefault());
    }

    private PModeLegSecurity security() {
        PModeLegSecurity security = new PModeLegSecurity();
        security.setWSSVersion(EWSSVersion.WSS_111);
        security.setX509SignatureAlgorithm(signature);
        security.setX509SignatureHashFunction(ECryptoAlgorithmSignDigest.DIGEST_SHA_256);
        if (encrypted) {
            security.setX509EncryptionAlgorithm(ECryptoAlgorithmCrypt.AES_128_GCM);
            security.setX509EncryptionMinimumStrength(128);
        }
        security.setPModeAuthorize(false);
        security.setSendReceipt(true);
        security.setSendReceiptNonRepudiation(true);
        security.setSendReceiptReplyPattern(EPModeSendReceiptReplyPattern.RESPONSE);
        return security;
    }

    /** Whether a message belongs here; the test message of ebMS belongs to every agreement. */
    boolean fits(String service, String action, String sender, String receiver) {
        boolean isTest = CAS4.DEFAULT_SERVICE_URL.equals(service) && CAS4.DEFAULT_ACTION_URL.equals(action);
        return (isTest || this.service.equals(service) && this.action.equals(action))
                && this.sender.getIDValue().equals(sender)
                && this.receiver.getIDValue().equals(receiver);
    }

    /** Whether a message is signed and encrypted as agreed; phase4 leaves that to the program around it. */
    boolean isKept(IAS4IncomingMessageState state) {
        return state.isSoapSignatureChecked() && state.isSoapDecrypted() == encrypted;
    }
}
