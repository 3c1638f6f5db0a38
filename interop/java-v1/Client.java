import com.amazonaws.auth.AWSCredentials;
import com.amazonaws.auth.DefaultAWSCredentialsProviderChain;
import com.amazonaws.auth.InstanceProfileCredentialsProvider;
import com.amazonaws.regions.InstanceMetadataRegionProvider;
import com.amazonaws.util.EC2MetadataUtils;
import com.amazonaws.util.VersionInfoUtils;

/** Reads the emulated service with the AWS SDK for Java v1 and prints one `ASPECT VALUE` line for each thing read. */
public class Client {
    public static void main(String[] arguments) throws Exception {
        System.out.println("version AWS SDK for Java v1, " + VersionInfoUtils.getVersion());
        System.out.println("region " + new InstanceMetadataRegionProvider().getRegion());
        // Nothing is configured, so the default chain ends at the instance's role.
        DefaultAWSCredentialsProviderChain chain = new DefaultAWSCredentialsProviderChain();
        AWSCredentials credentials = chain.getCredentials();
        System.out.println("credentials chain " + credentials.getAWSAccessKeyId());
        EC2MetadataUtils.InstanceInfo document = EC2MetadataUtils.getInstanceInfo();
        System.out.println("identity " + document.getInstanceId() + " " + document.getAccountId());
        System.out.println("user-data \"" + EC2MetadataUtils.getUserData().replace("\"", "\\\"") + "\"");
        new ProcessBuilder("sh", "-c", System.getenv("INTEROP_EXPIRE")).inheritIO().start().waitFor();
        // The SDK keeps what it read, and a session token, for the life of the process: what asks again is a provider.
        InstanceProfileCredentialsProvider fresh = InstanceProfileCredentialsProvider.createAsyncRefreshingProvider(false);
        System.out.println("after-expiry " + EC2MetadataUtils.getEC2InstanceRegion() + " "
                + fresh.getCredentials().getAWSAccessKeyId());
    }
}
