import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.core.util.VersionInfo;
import software.amazon.awssdk.imds.Ec2MetadataClient;
import software.amazon.awssdk.protocols.jsoncore.JsonNode;
import software.amazon.awssdk.regions.providers.InstanceProfileRegionProvider;

/** Reads the emulated service with the AWS SDK for Java v2 and prints one `ASPECT VALUE` line for each thing read. */
public class Client {
    public static void main(String[] arguments) throws Exception {
        System.out.println("version AWS SDK for Java v2, " + VersionInfo.SDK_VERSION);
        System.out.println("region " + new InstanceProfileRegionProvider().getRegion());
        // Nothing is configured, so the default chain ends at the instance's role.
        System.out.println("credentials chain " + accessKey());
        try (Ec2MetadataClient client = Ec2MetadataClient.create()) {
            JsonNode document = JsonNode.parser().parse(client.get("/latest/dynamic/instance-identity/document").asString());
            System.out.println("identity " + document.field("instanceId").get().text() + " "
                    + document.field("accountId").get().text());
            System.out.println("user-data \"" + client.get("/latest/user-data").asString().replace("\"", "\\\"") + "\"");
        }
        new ProcessBuilder("sh", "-c", System.getenv("INTEROP_EXPIRE")).inheritIO().start().waitFor();
        // A new client: one keeps a refused session token until its own clock says that it has expired
        // (aws/aws-sdk-java-v2#5764).
        try (Ec2MetadataClient client = Ec2MetadataClient.create()) {
            System.out.println("after-expiry " + client.get("/latest/meta-data/placement/region").asString() + " " + accessKey());
        }
    }

    private static String accessKey() {
        try (DefaultCredentialsProvider chain = DefaultCredentialsProvider.builder().build()) {
            return chain.resolveCredentials().accessKeyId();
        }
    }
}
