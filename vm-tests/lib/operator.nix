# Whom the pages let in: `operator`, with the password "a password for the test alone". Only for tests: here the hash comes out of the store.
{
  services.edgewatch.usersFile = "/etc/test/users";
  environment.etc."test/users" = {
    text = "operator:$2b$05$5TIpiaVtSC3vFV8QcmqpRuftpwT0BY2v5FcV2KQyhilglJW9iwBMW\n";
    mode = "0400";
  };
}
