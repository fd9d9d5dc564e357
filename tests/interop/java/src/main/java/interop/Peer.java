package interop;

import com.helger.json.IJsonObject;
import com.helger.json.JsonObject;
import com.helger.json.serialize.JsonReader;
import com.helger.phase4.mgr.MetaAS4Manager;
import com.helger.phase4.mgr.AS4ManagerFactoryInMemory;
import com.helger.scope.mgr.ScopeManager;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManagerFactory;

/**
 * The other side of the interop tests: phase4 as sender and as receiver, told what to do by JSON lines.
 *
 * <p>Its arguments are its TLS certificate, with the key beside it, and who issues those of others. One line in, one line out: {@code agree}, {@code send}, {@code received}; ends with its input.
 */
public final class Peer {

    private final Map<String, Agreement> agreements = new HashMap<>();
    private final Map<String, Receiver> receivers = new HashMap<>();
    private final HttpServer plain;
    private final HttpsServer secured;
    private final SSLContext tls;

    private Peer(Path keys, Path authority) throws Exception {
        tls = context(keys, authority);
        plain = HttpServer.create(loopback(), 0);
        secured = HttpsServer.create(loopback(), 0);
        secured.setHttpsConfigurator(new HttpsConfigurator(tls) {
            @Override
            public void configure(HttpsParameters parameters) {
                SSLParameters mutual = tls.getDefaultSSLParameters();
                mutual.setNeedClientAuth(true);
                parameters.setSSLParameters(mutual);
            }
        });
        for (HttpServer server : List.of(plain, secured)) {
            server.setExecutor(Executors.newCachedThreadPool(Peer::daemon));
            server.start();
        }
    }

    private static SSLContext context(Path own, Path authority) throws Exception {
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(Keys.store(own), Keys.PASSWORD);
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(Keys.trusting(authority));
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    private static InetSocketAddress loopback() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    private static Thread daemon(Runnable work) {
        Thread thread = new Thread(work);
        thread.setDaemon(true);
        return thread;
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        // Whatever the libraries print must not get between the answers.
        System.setOut(System.err);
        ScopeManager.onGlobalBegin("interop");
        MetaAS4Manager.setFactory(new AS4ManagerFactoryInMemory());
        Peer peer = new Peer(Path.of(arguments[0]), Path.of(arguments[1]));
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            out.println(peer.answer(line).getAsJsonString());
        }
        System.exit(0);
    }

    private IJsonObject answer(String line) {
        try {
            IJsonObject wanted = JsonReader.readFromString(line).getAsObject();
            return switch (wanted.getAsString("do")) {
                case "agree" -> agree(wanted);
                case "send" -> send(wanted);
                case "received" -> received(wanted);
                default -> throw new IllegalArgumentException("Expected a known command, found " + line);
            };
        } catch (Exception problem) {
            problem.printStackTrace();
            return new JsonObject().add("failure", problem.toString());
        }
    }

    private IJsonObject agree(IJsonObject wanted) throws Exception {
        Agreement agreement = new Agreement(wanted);
        boolean isSecured = wanted.getAsBoolean("is_tls", false);
        HttpServer server = isSecured ? secured : plain;
        String path = "/" + agreement.name;
        String url = (isSecured ? "https" : "http") + "://127.0.0.1:" + server.getAddress().getPort() + path;
        Receiver receiver = new Receiver(agreement, url);
        server.createContext(path, receiver);
        agreements.put(agreement.name, agreement);
        receivers.put(agreement.name, receiver);
        return new JsonObject().add("url", url);
    }

    private IJsonObject send(IJsonObject wanted) throws Exception {
        return new Sender(agreements.get(wanted.getAsString("agreement"))).send(wanted, tls);
    }

    private IJsonObject received(IJsonObject wanted) {
        IJsonObject facts = receivers.get(wanted.getAsString("agreement")).accepted(wanted.getAsString("message_id"));
        return facts == null ? new JsonObject() : facts;
    }
}
